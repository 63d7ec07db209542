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
