import { openOutputFolder } from '../../checkpoint/outputFolder';
import type { DeviceMemory, Engine } from '../../engine';
import { UserError } from '../../errors';
import { report, type RunContext } from '../context';
import { openModel, type Model } from './model';

/** A checkpoint that is closed at the end of the block which has it (`await using`). */
export async function useModel(path: string): Promise<Model & AsyncDisposable> {
  const model = await openModel(path);
  return { ...model, [Symbol.asyncDispose]: () => model.checkpoint.close() };
}

/** Makes an output folder that is whole after `use`, or absent if it throws. */
export async function withOutput<T>(
  out: string,
  overwrite: boolean,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const folder = await openOutputFolder(out, { overwrite });
  try {
    const result = await use(folder.path);
    await folder.commit();
    return result;
  } catch (error) {
    await folder.discard();
    throw withoutHidden(error, folder.path, out);
  }
}

/** An error that names what was asked for instead of the folder in the making, which is gone. */
function withoutHidden(error: unknown, hidden: string, out: string): unknown {
  if (error instanceof UserError) error.message = error.message.replaceAll(hidden, out);
  return error;
}

/** An engine that is ended with the block which has it, and why it is the one. */
export interface UsedEngine extends AsyncDisposable {
  readonly engine: Engine;
  readonly memory: DeviceMemory;
  readonly reason: string;
}

/** An engine that was opened, ended with the block which has it. */
export const usedEngine = ({
  engine,
  memory,
  reason,
}: Pick<UsedEngine, 'engine' | 'memory' | 'reason'>): UsedEngine => ({
  engine,
  memory,
  reason,
  [Symbol.asyncDispose]: () => engine.dispose(),
});

/** Starts the engine, and says which it is and why. */
export async function useEngine(context: RunContext): Promise<UsedEngine> {
  const used = usedEngine(await context.engine());
  const { engine, reason } = used;
  try {
    const { name, device } = engine.description;
    report(context, { type: 'device', engine: name, device, reason });
  } catch (error) {
    await engine.dispose();
    throw error;
  }
  return used;
}
