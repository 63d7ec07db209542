import type { LineSeparator } from '../../data/textSource';
import type { Engine } from '../../engine';
import { openData, surveyData, type DataSurvey } from '../open/data';
import type { DataOptions, OpenData } from '../open/openData';
import type { Model } from '../open/model';
import { chooseSeparator, describeSeparator } from './separator';

/** Data that was opened for a run, with how its lines are joined where that was found out. */
export interface RunData extends OpenData {
  readonly separatorNote: string | undefined;
  readonly separator: LineSeparator | undefined;
  /** What the files are, for whoever opens them again. */
  readonly survey: DataSurvey;
}

/**
 * Opens data until the end of the block which has it; for causal text finds out how lines are joined.
 * @param known what a survey found of the data before, which stays open
 */
export async function useData(
  engine: Engine,
  model: Model,
  options: DataOptions,
  known?: DataSurvey,
): Promise<RunData & AsyncDisposable> {
  const { architecture, checkpoint } = model;
  const survey = known ?? (await surveyData(architecture, checkpoint, options));
  const closeSurvey = (): void => {
    if (!known) survey.close();
  };
  try {
    const choice =
      options.separator === undefined
        ? await chooseSeparator(engine, model, options, survey)
        : undefined;
    const separator = options.separator ?? choice?.separator;
    const joined = { ...options, separator };
    const data = await openData(architecture, checkpoint, joined, survey);
    const separatorNote = choice?.note ?? describeSeparator(model, separator);
    const close = async (): Promise<void> => {
      await data.batches.close().finally(closeSurvey);
    };
    return { ...data, separator, separatorNote, survey, [Symbol.asyncDispose]: close };
  } catch (error) {
    closeSurvey();
    throw error;
  }
}
