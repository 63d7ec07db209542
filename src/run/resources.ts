import { openOutputFolder } from '../checkpoint/outputFolder';
import type { LineSeparator } from '../data/textSource';
import type { Engine } from '../engine';
import { report, type RunContext } from './context';
import { openData, type DataOptions, type OpenData } from './data';
import { openModel, type Model } from './model';
import { chooseSeparator, describeSeparator } from './separator';

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
    throw error;
  }
}

/** Starts the engine for the length of `use`, and says which it is. */
export async function withEngine<T>(
  context: RunContext,
  use: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await context.engine();
  try {
    const { name, device } = engine.description;
    report(context, { type: 'device', engine: name, device });
    return await use(engine);
  } finally {
    await engine.dispose();
  }
}

/** Data that was opened for a run, with how its lines are joined where that was found out. */
export interface RunData extends OpenData {
  readonly separatorNote: string | undefined;
  readonly separator: LineSeparator | undefined;
}

/** Opens data for the length of `use`; for causal text finds out how lines are joined. */
export async function withData<T>(
  engine: Engine,
  model: Model,
  options: DataOptions,
  use: (data: RunData) => Promise<T>,
): Promise<T> {
  const choice =
    options.separator === undefined ? await chooseSeparator(engine, model, options) : undefined;
  const separator = options.separator ?? choice?.separator;
  const data = await openData(model.architecture, model.checkpoint.directory, {
    ...options,
    separator,
  });
  try {
    const separatorNote = choice?.note ?? describeSeparator(model, separator);
    return await use({ ...data, separator, separatorNote });
  } finally {
    await data.batches.close();
  }
}
