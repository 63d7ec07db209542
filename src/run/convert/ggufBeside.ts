import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { byStoredTensor, type Architecture, type Parameter } from '../../architecture';
import { bytesPerElement } from '../../checkpoint/elementTypes';
import { contiguous } from '../../checkpoint/layouts/contiguous';
import { elementCount, type TensorInfo } from '../../checkpoint/tensor';
import { listCheckpoint, type Checkpoint, type JsonObject } from '../../checkpoint/checkpoint';
import { sha256OfFiles } from '../../checkpoint/hash';
import { identify } from '../../files';
import type { GgufType } from '../../protocol/conversion';
import { UnsupportedError, UserError } from '../../errors';
import type { GgufReceipt, GrowthPlan } from '../../protocol/events';
import type { Unworded } from '../../remedy/worded';
import { warn, type RunContext } from '../context';
import { counter } from './converting';
import { ggufName, prepareGguf } from './ggufModel';
import type { Model } from '../open/model';
import { storedType } from '../write/storedTypes';
import { requireSpace } from './safetensors';

/**
 * Refuses a GGUF file of what becomes of a model, before anything is computed.
 * @param target as it will be written; the same model where it is trained
 * @throws UserError
 */
export async function requireGguf(
  model: Model,
  outtype: GgufType,
  target: Architecture = model.architecture,
): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'ligo-gguf-'));
  try {
    await prepareGguf(checkpointToBe(model, target), { name: 'model', outtype, scratch });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What will be written of a model, but for the values: sizes, element types, config.json and tokenizer. */
function checkpointToBe(model: Model, target: Architecture): Checkpoint {
  const { checkpoint } = model;
  const tensors = [...byStoredTensor(target.parameters)].map(([name, parts]): TensorInfo => {
    const [first] = parts as readonly [Parameter];
    const type = storedType(model, first);
    const { shape } = first.stored;
    const bytes = elementCount(shape) * bytesPerElement(type);
    return { name, type, shape, bytes, file: checkpoint.directory, layout: contiguous(type, 0) };
  });
  return {
    ...checkpoint,
    config: { ...checkpoint.config, ...(target.config as JsonObject) },
    tensors: new Map(tensors.map(tensor => [tensor.name, tensor])),
    absent: new Map(),
  };
}

/** Why a GGUF file of what becomes of a model cannot be written, for its plan; nothing where it can. */
export async function ggufRefusals(
  model: Model,
  outtype: GgufType | undefined,
  target?: Architecture,
): Promise<Unworded<GrowthPlan['refusals']>> {
  if (outtype === undefined) return [];
  try {
    await requireGguf(model, outtype, target);
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [{ reason: error.message, remedy: error.remedy }];
  }
}

/**
 * Writes the model of a folder in the making once more, as a GGUF file beside its safetensors. What such a file
 * cannot hold, weights that its type does not reach say, is no reason to lose the model: that is said then.
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
    await model.write(file, counter(context, model.bytes));
    warn(context, model.notes);
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    await rm(file, { force: true });
    const message = `There is no GGUF file beside the model: ${error.message}`;
    warn(context, [{ message, remedy: 'Convert the model by itself, as bf16 or f32.' }]);
    return undefined;
  } finally {
    await source.close();
  }
  const identity = await identify(file);
  if (!identity) throw new Error(`${file} is gone`);
  const sha256 = await sha256OfFiles(new Map([[file, { path: file, identity }]]));
  return { file: basename(file), outtype, bytes: identity.size, sha256 };
}
