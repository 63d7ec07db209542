import { join } from 'node:path';
import type { Parameter } from '../../architecture';
import type { FinishedRun } from '../../protocol/comparison';
import { evaluationOf, type Evaluation } from '../../protocol/evaluation';
import { sourceName } from '../../protocol/hubReference';
import { frequencyLoss } from '../../training';
import { copyCompanions } from '../write/companions';
import type { RunContext } from '../context';
import { isLearned } from '../grow/makeLarge';
import { untilAborted, type ParameterValues } from '../write/parameterValues';
import { growthReceipt, writeReceipt } from '../write/receipt';
import { withOutput } from '../open/resources';
import { keptModel, scoreModel } from '../score/scoring';
import { isRounded } from '../write/storedTypes';
import type { TrainedModel } from '../train/trainModel';
import { trainingReceipt } from '../train/describeTraining';
import { writeModel, type WrittenModel } from '../write/writeModel';
import { writeNew } from '../write/writeNew';
import type { OwnRun } from './growRun';
import { growthSettings } from './request';

/**
 * Writes the trained model of a run as a checkpoint of its own, with the receipts of its growth and of its
 * training, where the store keeps it until the report says which are kept.
 */
export async function keepModel(
  context: RunContext,
  { comparison, name, data }: OwnRun,
  run: FinishedRun,
  trained: TrainedModel,
): Promise<void> {
  const { model, growth, request, engine, sha256, store } = comparison;
  const trainedValues: ParameterValues = parameter => Promise.resolve(valueOf(trained, parameter));
  const values = untilAborted(context.signal, trainedValues);
  await withOutput(store.modelFolder(name), true, async directory => {
    const companions = await copyCompanions(model.checkpoint, directory);
    await using written = await writeModel(directory, model, growth.target, values);
    const created = context.now();
    const learned = isLearned(name.method);
    const [start] = run.curve;
    const { separator, separatorNote } = comparison.data;
    const source = { data, path: request.data.data, separator, separatorNote };
    const receipt = growthReceipt({
      model,
      growth,
      sha256,
      created,
      seed: name.seed,
      steps: run.growth.steps,
      companions: companions.files,
      method: {
        name: name.method,
        settings: learned ? { ...growthSettings(request, name.method) } : {},
      },
      data: source,
      engine: engine.description,
      measured: {
        losses: {
          small: run.small,
          after: evaluationOf(start!),
          frequencies: await frequencyLoss(data.batches, data.targets),
        },
        ...(run.parity && { parity: run.parity }),
        ...(run.growth.steps > 0 && {
          flops: {
            perStep: run.growth.flops / run.growth.steps,
            total: run.growth.flops,
          },
        }),
        seconds: run.growth.seconds,
      },
      warnings: run.warnings.map(message => ({ message, remedy: '' })),
    });
    const training = trainingReceipt({
      architecture: growth.target,
      trained,
      created,
      seed: name.seed,
      fromScratch: false,
      source: {
        path: sourceName(model.path, model.checkpoint.directory),
        sha256,
        companions: companions.files,
      },
      settings: request.training,
      data: source,
      engine: engine.description,
      before: evaluationOf(start!),
      after: await scoresAsWritten(context, { comparison, data }, written, run),
      curve: trained.curve,
      warnings: run.warnings,
    });
    await writeReceipt(directory, receipt, training);
    await writeNew(join(directory, 'training.json'), `${JSON.stringify(training, null, 2)}\n`);
  });
}

/** Of what is written; the training has measured it unless it is rounded on its way to the file. */
async function scoresAsWritten(
  { signal }: RunContext,
  { comparison: { model, growth, engine }, data }: Pick<OwnRun, 'comparison' | 'data'>,
  { values }: WrittenModel,
  run: FinishedRun,
): Promise<Evaluation> {
  if (!isRounded(model)) return evaluationOf(run.curve.at(-1)!);
  const kept = await keptModel(growth.target, values);
  return scoreModel(engine, kept, data.batches, data.shape, signal);
}

function valueOf({ tensors }: TrainedModel, { id }: Parameter): Float32Array {
  const value = tensors[id];
  if (value === undefined) throw new Error(`${id} was neither trained nor carried along`);
  return value as Float32Array;
}

/** Whether all of a model is known: states of runs that kept no models have only what is trained. */
export const isWhole = (
  { tensors }: Pick<TrainedModel, 'tensors'>,
  parameters: readonly Parameter[],
): boolean => parameters.every(({ id }) => tensors[id] !== undefined);
