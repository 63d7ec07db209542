import { openOutputFolder } from '../../checkpoint/outputFolder';
import type { DeviceMemory, Engine } from '../../engine';
import { UserError } from '../../errors';
import { report, type RunContext } from '../context';
import { openModel, type Model } from './model';

/** Opens a checkpoint for the length of `use`. */
export async function withModel<T>(path: string, use: (model: Model) => Promise<T>): Promise<T> {
  const model = await openModel(path);
  try {
    return await use(model);
  } finally {
    await model.checkpoint.close();
  }
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

/** Starts the engine for the length of `use`, and says which it is and why. */
export async function withEngine<T>(
  context: RunContext,
  use: (engine: Engine, memory: DeviceMemory, reason: string) => Promise<T>,
): Promise<T> {
  const { engine, reason, memory } = await context.engine();
  try {
    const { name, device } = engine.description;
    report(context, { type: 'device', engine: name, device, reason });
    return await use(engine, memory, reason);
  } finally {
    await engine.dispose();
  }
}
