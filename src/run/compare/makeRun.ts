import { InterruptedError, UserError } from '../../errors';
import { growthMethod } from '../../growth';
import type { ComparisonRun, CurvePoint, FailedRun, FinishedRun } from '../../protocol/comparison';
import { report, type RunContext } from '../context';
import { isLearned, requireMethod } from '../grow/makeLarge';
import { useData } from '../score/runData';
import { trainModel, type TrainedModel } from '../train/trainModel';
import { evaluationDigest, fedBatches } from './fedBatches';
import { diverged, growRun, type OwnRun } from './growRun';
import { runSaver, takeUp, unsaved, type HalfMadeRun, type RunSaver } from './halfMadeRun';
import { keepsModels } from './keep';
import { isWhole, keepModel } from './keepModel';
import type { Comparison } from './open';
import type { RunName } from './request';
import { resume } from '../../remedy/actions';
import { commandLine } from '../../remedy/commandLine';
import { advise, inWords } from '../../remedy/remedy';

/**
 * Grows by one method and trains what it made, on from where a stopped comparison left it. A method
 * that cannot, or that diverges, gives a failed run. Rejects with InterruptedError when stopped, its
 * state saved, and with what else is no fault of the method.
 */
export async function makeRun(
  context: RunContext,
  comparison: Comparison,
  name: RunName,
): Promise<ComparisonRun> {
  const { engine, model, request, growth, data } = comparison;
  const takenUp = await takeUp(context, comparison, name);
  try {
    requireMethod(name.method, growth);
    const options = { ...request.data, seed: name.seed, separator: data.separator };
    await using own = await useData(engine, model, options, data.survey);
    return await growAndTrain(context, { comparison, name, data: own, takenUp });
  } catch (error) {
    if (context.signal.aborted) {
      if (error instanceof UserError && !(error instanceof InterruptedError)) {
        report(context, { type: 'warning', ...unsaved(name, error) });
      }
      throw stopped(error);
    }
    if (!(error instanceof UserError)) throw error;
    return failed(name, error);
  }
}

const stopped = (cause?: unknown): InterruptedError =>
  new InterruptedError('The run was stopped.', advise`${resume()} to go on.`, {
    cause,
  });

const failed = ({ method, seed }: RunName, { message, remedy }: UserError): FailedRun => ({
  state: 'failed',
  method,
  seed,
  message,
  // Reports are files.
  remedy: inWords(remedy, commandLine),
});

async function growAndTrain(context: RunContext, own: OwnRun): Promise<FinishedRun> {
  const { comparison, name, takenUp } = own;
  const saver = runSaver(context, comparison, name);
  if (takenUp.halfMade) return train(context, own, takenUp.halfMade, saver);
  const { grown, tensors } = await growRun(context, own);
  const run = { grown, training: { step: 0, seconds: 0, tensors, curve: [] }, fed: '' };
  // What was copied is as quickly copied again.
  if (isLearned(name.method)) await saver.now(run);
  return train(context, own, run, saver);
}

/** Trains a grown model from where it stands to its end. */
async function train(
  context: RunContext,
  own: OwnRun,
  { grown, training: start, fed: given }: HalfMadeRun,
  saver: RunSaver,
): Promise<FinishedRun> {
  const { comparison, name, data } = own;
  const { request, engine, flopsPerStep } = comparison;
  const spent = grown.growth;
  const fed = fedBatches(data.batches, given);
  const scaled = (flops: number): number => (flops / flopsPerStep.exact) * flopsPerStep.paper;
  const tell = ({ step, loss, flops, seconds }: CurvePoint): void =>
    report(context, {
      type: 'comparison',
      ...name,
      phase: 'training',
      step,
      loss,
      steps: request.training.steps,
      flops: spent.flops + flops,
      seconds: spent.seconds + seconds,
    });
  const tellStep = stepTeller(context, name, {
    steps: request.training.steps,
    seconds: spent.seconds + start.seconds,
  });
  start.curve.forEach(tell);
  const trained = await trainModel(engine, {
    architecture: comparison.growth.target,
    data: { ...data, batches: fed.batches },
    settings: request.training,
    memory: comparison.memory,
    start,
    seed: name.seed,
    stages: growthMethod(name.method).stages?.(comparison.growth),
    evaluateEvery: request.evaluateEvery,
    saveEvery: request.evaluateEvery,
    signal: context.signal,
    onStep: async ({ step, seconds }) => {
      tellStep(step, seconds);
      // A run may be paused between steps, but ends when all the others do.
      await context.betweenSteps?.();
    },
    onEvaluation: tell,
    onSave: training => saver.soon({ grown, training, fed: fed.digest() }),
  });
  if (trained.outcome === 'interrupted') {
    const { step, seconds, tensors, curve } = trained;
    await saver.now({ grown, training: { step, seconds, tensors, curve }, fed: fed.digest() });
    throw stopped();
  }
  requireFinished(trained);
  const run: FinishedRun = {
    state: 'finished',
    method: name.method,
    seed: name.seed,
    ...grown,
    curve: trained.curve.map(({ flops, seconds, ...point }) => ({
      ...point,
      flops: spent.flops + flops,
      paperFlops: spent.paperFlops + scaled(flops),
      seconds: spent.seconds + seconds,
    })),
    fed: { training: fed.digest(), evaluation: await evaluationDigest(data.batches) },
  };
  if (keepsModels(request) && isWhole(trained, comparison.growth.target.parameters)) {
    await keepModel(context, own, run, trained);
  }
  return run;
}

/** Milliseconds between steps that are told; in a training of hours, this share of the time so far. */
const tellInterval = { shortest: 500, share: 1 / 2000 };

/** Tells steps between evaluations: often enough to be followed, and of a long run not too many. */
function stepTeller(
  context: RunContext,
  name: RunName,
  { steps, seconds: before }: { readonly steps: number; readonly seconds: number },
): (step: number, seconds: number) => void {
  const began = context.now();
  let told = began;
  let spent = before;
  return (step, seconds) => {
    spent += seconds;
    const now = context.now();
    if (now - told < Math.max(tellInterval.shortest, tellInterval.share * (now - began))) return;
    told = now;
    report(context, { type: 'comparisonStep', ...name, step, steps, seconds: spent });
  };
}

/** Throws what kept a training from its end. */
function requireFinished({ outcome, failure, step, curve }: TrainedModel): void {
  if (failure) throw failure;
  const finite = curve.every(({ loss }) => Number.isFinite(loss));
  if (outcome !== 'finished' || !finite) throw diverged(step, 'the training');
}
