import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { explainWriteError } from '../../checkpoint/writeErrors';
import { UserError } from '../../errors';
import { readRange } from '../../files';
import { keepInMemory, type KeepState } from '../../training';
import { report, type RunContext } from '../context';

/** Bytes of a state that are copied in memory; a larger one is kept on the disk. */
export const largestInMemory = 256e6;

/**
 * Keeps copies of a run's state: small ones in memory, large ones as files of a folder that the run
 * removes or has removed. A disk that refuses is told once and stops nothing.
 */
export const keeperOf = (context: RunContext, bytes: number, folder?: string): KeepState =>
  folder === undefined || bytes <= largestInMemory ? keepInMemory : keepOnDisk(context, folder);

/** Keeps copies as files of a folder: the values of all tensors, one after the other. */
export function keepOnDisk(context: RunContext, folder: string): KeepState {
  let files = 0;
  let refused = false;
  return async state => {
    const path = join(folder, `.kept-${++files}`);
    const spans: { readonly name: string; readonly position: number; readonly length: number }[] =
      [];
    try {
      const file = await open(path, 'wx+');
      try {
        let position = 0;
        for await (const [name, data] of state) {
          const { buffer, byteOffset, byteLength: length } = data;
          await file.writeFile(new Uint8Array(buffer, byteOffset, length));
          spans.push({ name, position, length });
          position += length;
        }
      } finally {
        await file.close();
      }
    } catch (error) {
      await rm(path, { force: true });
      const explained = explainWriteError(error, path);
      if (!(explained instanceof UserError)) throw explained;
      const { message, remedy } = explained;
      const told = `No copy of the state is kept to fall back to: ${message}`;
      if (!refused) report(context, { type: 'warning', message: told, remedy });
      refused = true;
      return undefined;
    }
    return {
      read: async () => {
        const file = await open(path, 'r');
        try {
          const state: Record<string, Float32Array> = {};
          for (const { name, position, length } of spans) {
            const bytes = await readRange(file, position, length);
            if (bytes.length < length) throw new Error(`${path} was cut short while it was needed`);
            state[name] = new Float32Array(length / 4);
            new Uint8Array(state[name].buffer).set(bytes);
          }
          return state;
        } finally {
          await file.close();
        }
      },
      forget: () => rm(path, { force: true }),
    };
  };
}
