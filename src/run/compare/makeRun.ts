import { join } from 'node:path';
import { DeviceError, InterruptedError, UserError } from '../../errors';
import { growthMethod } from '../../growth';
import type { RunEventBody } from '../../protocol/events';
import type { ComparisonRun, CurvePoint, FailedRun, FinishedRun } from '../../protocol/comparison';
import { report, type RunContext } from '../context';
import { isLearned, makeLarge, requireMethod, type LargeModel } from '../makeLarge';
import { withData, type RunData } from '../resources';
import { removeRunState } from '../runState';
import { trainModel, type TrainedModel } from '../trainModel';
import { evaluationDigest, fedBatches } from './fedBatches';
import type { Comparison } from './open';
import { countedSizes, paperFlopsPerStep } from './paperFlops';
import { growthSettings, type RunName } from './request';

/**
 * Grows by one method and trains what it made. A method that cannot, or that diverges, gives a failed
 * run. Rejects with InterruptedError when stopped, and with what else is no fault of the method.
 */
export async function makeRun(
  context: RunContext,
  comparison: Comparison,
  name: RunName,
): Promise<ComparisonRun> {
  const { engine, model, request, growth, data } = comparison;
  try {
    requireMethod(name.method, growth);
    const options = { ...request.data, seed: name.seed, separator: data.separator };
    return await withData(engine, model, options, own =>
      growAndTrain(context, { comparison, name, data: own }),
    );
  } catch (error) {
    if (context.signal.aborted) {
      throw new InterruptedError('The run was stopped.', 'Start it again.', { cause: error });
    }
    if (!(error instanceof UserError)) throw error;
    return failed(name, error);
  }
}

const failed = ({ method, seed }: RunName, { message, remedy }: UserError): FailedRun => ({
  ...{ state: 'failed', method, seed, message, remedy },
});

/** One run with the data in the order of its seed. */
interface OwnRun {
  readonly comparison: Comparison;
  readonly name: RunName;
  readonly data: RunData;
}

async function growAndTrain(context: RunContext, own: OwnRun): Promise<FinishedRun> {
  const { comparison, name, data } = own;
  const { request, engine, flopsPerStep } = comparison;
  const warnings: string[] = [];
  const grown = await growOnce(context, own, message => warnings.push(message));
  const { measured, spent } = grown;
  const fed = fedBatches(data.batches);
  const scaled = (flops: number): number => (flops / flopsPerStep.exact) * flopsPerStep.paper;
  const tell = ({ step, loss, flops, seconds }: CurvePoint): void =>
    report(context, {
      ...{ type: 'comparison', ...name, phase: 'training', step, loss },
      ...{ steps: request.training.steps, flops: spent.flops + flops },
      seconds: spent.seconds + seconds,
    });
  const trained = await trainModel(engine, {
    architecture: comparison.growth.target,
    data: { ...data, batches: fed.batches },
    settings: request.training,
    memory: comparison.memory,
    start: { step: 0, seconds: 0, tensors: grown.tensors, curve: [] },
    stages: growthMethod(name.method).stages?.(comparison.growth),
    evaluateEvery: request.evaluateEvery,
    signal: context.signal,
    onStep: () => waitWhilePaused(context),
    onEvaluation: tell,
  });
  requireFinished(trained);
  return {
    ...{ state: 'finished', method: name.method, seed: name.seed },
    small: measured.losses!.small,
    ...(measured.parity && { parity: measured.parity }),
    growth: spent,
    curve: trained.curve.map(({ flops, seconds, ...point }) => ({
      ...point,
      flops: spent.flops + flops,
      paperFlops: spent.paperFlops + scaled(flops),
      seconds: spent.seconds + seconds,
    })),
    fed: { training: fed.digest(), evaluation: await evaluationDigest(data.batches) },
    warnings,
  };
}

/** A run may be paused between steps, but ends when all the others do. */
const waitWhilePaused = async (context: RunContext): Promise<void> => {
  await context.betweenSteps?.();
};

/** Throws what kept a training from its end. */
function requireFinished({ outcome, failure, step, curve }: TrainedModel): void {
  if (failure) throw new DeviceError(failure.message, failure.remedy, { cause: failure });
  if (outcome === 'interrupted') throw new InterruptedError('The run was stopped.', 'Start again.');
  const finite = curve.every(({ loss }) => Number.isFinite(loss));
  if (outcome === 'finished' && finite) return;
  throw new UserError(
    `The loss stopped being a number after step ${step} of the training.`,
    'Lower the learning rate (--learning-rate) or lengthen the warm-up (--warmup).',
  );
}

/** The large model that a method made, and what that took. */
interface Grown extends LargeModel {
  readonly tensors: Record<string, Float32Array>;
  readonly spent: FinishedRun['growth'];
}

async function growOnce(
  context: RunContext,
  { comparison, name, data }: OwnRun,
  onWarning: (message: string) => void,
): Promise<Grown> {
  const { growth, request, store } = comparison;
  const { method } = name;
  const settings = growthSettings(request, method);
  const out = join(store.folder, `${method}-${name.seed}`);
  const paperPerStep = paperFlopsPerStep(
    countedSizes(growth.target, data.shape),
    data.shape.batchSize,
    {
      layers: growth.source.dimensions.numHiddenLayers,
      hidden: growth.source.dimensions.hiddenSize,
    },
  );
  let seconds = 0;
  let flops = 0;
  const watching: RunContext = {
    ...context,
    emit: event => {
      if (event.type !== 'step') return;
      seconds += event.seconds;
      flops += event.flops;
      const { step, steps, loss } = event;
      const body: RunEventBody = {
        ...{ type: 'comparison', ...name, phase: 'growth', step, steps, loss, flops, seconds },
      };
      report(context, body);
    },
    betweenSteps: () => waitWhilePaused(context),
  };
  try {
    const large = await makeLarge(watching, {
      ...{ ...comparison, ...name, settings, out, openData: data },
      warn: onWarning,
    });
    const started = performance.now();
    const tensors: Record<string, Float32Array> = {};
    for (const parameter of growth.target.parameters) {
      context.signal.throwIfAborted();
      if (parameter.used) tensors[parameter.id] = await large.values(parameter);
    }
    seconds += (performance.now() - started) / 1000;
    const steps = isLearned(method) ? settings.steps : 0;
    return {
      ...large,
      tensors,
      spent: { steps, flops, paperFlops: paperPerStep * steps, seconds },
    };
  } catch (error) {
    // A run is made as a whole: what was learned before a stop is not gone on with.
    if (context.signal.aborted) await removeRunState(out);
    throw error;
  }
}
