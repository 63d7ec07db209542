import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { listCheckpoint, type Checkpoint } from '../../checkpoint/checkpoint';
import { sha256OfFiles } from '../../checkpoint/hash';
import { identify } from '../../files';
import type { GgufType } from '../../protocol/conversion';
import { UserError } from '../../errors';
import type { GgufReceipt, GrowthPlan } from '../../protocol/events';
import type { Unworded } from '../../remedy/worded';
import { warn, type RunContext } from '../context';
import { ggufName, prepareGguf, TooLargeError } from './ggufModel';
import { requireSpace } from './safetensors';

/**
 * Refuses a GGUF file of what becomes of a checkpoint before anything is computed: family, tokenizer and
 * what config.json asks for stay as they are when it grows or trains.
 * @throws UnsupportedError
 */
export async function requireGguf(source: Checkpoint, outtype: GgufType): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'ligo-gguf-'));
  try {
    await prepareGguf(source, { name: 'model', outtype, scratch });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Why a GGUF file of what becomes of a checkpoint cannot be written, for its plan; nothing where it can. */
export async function ggufRefusals(
  source: Checkpoint,
  outtype: GgufType | undefined,
): Promise<Unworded<GrowthPlan['refusals']>> {
  if (outtype === undefined) return [];
  try {
    await requireGguf(source, outtype);
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [{ reason: error.message, remedy: error.remedy }];
  }
}

/**
 * Writes the model of a folder in the making once more, as a GGUF file beside its safetensors. Weights that its
 * type does not reach are no reason to lose the model: that there is no such file is said then.
 * @param name of the model
 */
export async function writeGgufBeside(
  context: RunContext,
  directory: string,
  { name, outtype }: { readonly name: string; readonly outtype: GgufType },
): Promise<GgufReceipt | undefined> {
  const source = await listCheckpoint(directory);
  const file = join(directory, ggufName(name, outtype));
  try {
    const model = await prepareGguf(source, { name, outtype, scratch: directory });
    await requireSpace(directory, model.bytes);
    await model.write(file, parts => untilAborted(context.signal, parts));
    warn(context, model.notes);
  } catch (error) {
    if (!(error instanceof TooLargeError)) throw error;
    await rm(file, { force: true });
    const message = `There is no GGUF file beside the model: ${error.message}`;
    warn(context, [
      { message, remedy: 'Write one with ligo convert --format gguf --outtype bf16.' },
    ]);
    return undefined;
  } finally {
    await source.close();
  }
  const identity = await identify(file);
  if (!identity) throw new Error(`${file} is gone`);
  const sha256 = await sha256OfFiles(new Map([[file, { path: file, identity }]]));
  return { file: basename(file), outtype, bytes: identity.size, sha256 };
}

async function* untilAborted(
  signal: AbortSignal,
  parts: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  for await (const part of parts) {
    signal.throwIfAborted();
    yield part;
  }
}
