import { realpath } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { Recognition } from '../../architecture';
import { listCheckpoint, type Checkpoint } from '../../checkpoint/checkpoint';
import { OnlyTensorsError, UnsupportedError, UserError, type Note } from '../../errors';
import type { ConversionReceipt, ConversionRequest } from '../../protocol/conversion';
import { collectWarnings, warn, type RunContext } from '../context';
import { recognizeModel } from '../open/model';
import { withOutput } from '../open/resources';
import { stoppable } from '../stop/stop';
import { copyCompanions } from '../write/companions';
import { software } from '../write/software';
import { writeNew } from '../write/writeNew';
import type { Converting, Written } from './converting';
import { leftBehind } from './leftBehind';
import { writeSafetensors } from './safetensors';

/** Who listens to a conversion: its warnings, and how far it is. */
export interface ConvertContext extends RunContext {
  /** Bytes that were written, and that will be. */
  readonly progress?: (done: number, total: number) => void;
}

/**
 * Writes a checkpoint of any format that is read into a folder of safetensors, or as a GGUF file: its
 * tensors, one part at a time, and what belongs beside them. The folder is whole afterwards, or absent.
 */
export async function convert(
  caller: ConvertContext,
  request: ConversionRequest,
): Promise<ConversionReceipt> {
  const { context, warnings } = collectWarnings(caller);
  return stoppable(context, async () => {
    await using source = await openSource(request.checkpoint);
    await refuseOwnFolder(source, request.out);
    warn(context, [...source.notes, ...(await leftBehind(source, request.checkpoint))]);
    return await withOutput(request.out, request.overwrite ?? false, async directory => {
      const converting: Converting = {
        source,
        directory,
        signal: context.signal,
        ...(caller.progress && { progress: caller.progress }),
        warn: notes => warn(context, notes),
      };
      const written = await writeAs(converting, request);
      const sha256 = await source.sha256();
      context.signal.throwIfAborted();
      await source.requireUnchanged(sha256);
      warn(context, await written.companions.notes());
      const receipt = {
        software,
        created: new Date(context.now()).toISOString(),
        source: {
          path: request.checkpoint,
          format: source.format ?? 'unknown',
          files: source.files.map(file => relative(source.directory, file)),
          sha256,
          companions: written.companions.files,
        },
        format: request.format,
        ...(request.outtype && { outtype: request.outtype }),
        tensors: written.tensors,
        bytes: written.bytes,
        files: written.files.map(file => basename(file)),
        leftOut: written.leftOut,
        warnings: warnings.map(({ message }) => message),
      };
      await writeNew(join(directory, 'conversion.json'), `${JSON.stringify(receipt, null, 2)}\n`);
      context.signal.throwIfAborted();
      return { ...receipt, out: request.out };
    });
  });
}

async function writeAs(converting: Converting, request: ConversionRequest): Promise<Written> {
  if (request.format === 'safetensors') return asSafetensors(converting, request);
  const { writeGgufModel } = await import('./ggufModel');
  return writeGgufModel(converting, request);
}

/** A checkpoint that is converted, closed at the end of the block which has it. */
async function openSource(path: string): Promise<Checkpoint & AsyncDisposable> {
  const listed = await listCheckpoint(path);
  const problem = listed.problems.find(one => !(one instanceof OnlyTensorsError));
  if (problem) {
    await listed.close();
    throw problem;
  }
  const told = listed.problems.map(({ message, remedy }) => ({
    message: `${message} Its tensors are converted as they are.`,
    remedy,
  }));
  const notes = [...told, ...listed.notes];
  return { ...listed, notes, [Symbol.asyncDispose]: () => listed.close() };
}

/** @throws UserError where the result would take the place of the checkpoint itself */
async function refuseOwnFolder({ directory }: Checkpoint, out: string): Promise<void> {
  const target = await realpath(resolve(out)).catch(() => resolve(out));
  const way = relative(target, await realpath(directory));
  const isWithin = way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
  if (!isWithin) return;
  throw new UserError(
    `${out} holds the checkpoint itself, which stays as it is.`,
    'Choose another output folder.',
  );
}

async function asSafetensors(
  converting: Converting,
  { maxShardBytes }: ConversionRequest,
): Promise<Written> {
  const { source, directory } = converting;
  const recognition = await recognized(converting);
  const companions = await copyCompanions(source, directory);
  const copies = recognition?.copies ?? new Map<string, string>();
  const written = await writeSafetensors(converting, { copies, maxShardBytes });
  if (source.configText !== undefined) {
    await writeNew(join(directory, 'config.json'), source.configText);
  }
  await companions.requireSame();
  return { ...written, companions };
}

/** The model of a known family that a checkpoint is; where it is none, that is said. */
async function recognized({ source, warn: tell }: Converting): Promise<Recognition | undefined> {
  try {
    return await recognizeModel(source);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    tell([notOnModel(error)]);
    return undefined;
  }
}

const notOnModel = (error: UserError): Note => ({
  message: `Not checked: whether the tensors make a whole model. ${error.message} They are converted as they are, each by itself.`,
  remedy:
    error instanceof UnsupportedError
      ? 'Load the result once in the program that it is for.'
      : error.remedy,
});
