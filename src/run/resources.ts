import { openOutputFolder } from '../checkpoint/outputFolder';
import type { LineSeparator } from '../data/textSource';
import type { DeviceMemory, Engine } from '../engine';
import { UserError } from '../errors';
import { formatBytes } from '../format';
import { report, type RunContext } from './context';
import { openData, surveyData, type DataOptions, type DataSurvey, type OpenData } from './data';
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

const usualRemedy =
  'Lower --batch or --sequence-length, choose a smaller target, or close what else uses that memory.';

/** Why a run does not fit what memory its device has left, in numbers; undefined when it does. */
export function memoryRefusal(
  taken: number,
  { bytes, of, isMain = false }: DeviceMemory,
  remedy = usualRemedy,
): UserError | undefined {
  if (taken <= bytes) return undefined;
  return new UserError(
    `${isMain ? 'The run' : 'A step'} takes about ${formatBytes(taken)} of memory, and ${of} has ${formatBytes(bytes)} free.`,
    remedy,
  );
}

/** Throws UserError when steps do not fit the device: a refusal is better than a crash. */
export function requireMemory(peakBytes: number, memory: DeviceMemory): void {
  const refusal = memoryRefusal(peakBytes, memory);
  if (refusal) throw refusal;
}

/** Data that was opened for a run, with how its lines are joined where that was found out. */
export interface RunData extends OpenData {
  readonly separatorNote: string | undefined;
  readonly separator: LineSeparator | undefined;
  /** What the files are, for whoever opens them again. */
  readonly survey: DataSurvey;
}

/**
 * Opens data for the length of `use`; for causal text finds out how lines are joined.
 * @param known what a survey found of the data before
 */
export async function withData<T>(
  engine: Engine,
  model: Model,
  options: DataOptions,
  use: (data: RunData) => Promise<T>,
  known?: DataSurvey,
): Promise<T> {
  const { architecture, checkpoint } = model;
  const survey = known ?? (await surveyData(architecture, checkpoint.directory, options));
  try {
    const choice =
      options.separator === undefined
        ? await chooseSeparator(engine, model, options, survey)
        : undefined;
    const separator = options.separator ?? choice?.separator;
    const joined = { ...options, separator };
    const data = await openData(architecture, checkpoint.directory, joined, survey);
    try {
      const separatorNote = choice?.note ?? describeSeparator(model, separator);
      return await use({ ...data, separator, separatorNote, survey });
    } finally {
      await data.batches.close();
    }
  } finally {
    if (!known) survey.close();
  }
}
