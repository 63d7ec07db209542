import { availableParallelism, cpus } from 'node:os';
import { growthMethod, type GrowthMethodName } from '../../growth';
import {
  yardstick,
  type ComparisonReport,
  type ComparisonRun,
  type FailedRun,
  type FinishedRun,
  type MethodSummary,
  type SeedSavings,
  type Spread,
} from '../../protocol/comparison';
import { sourceName } from '../../protocol/hubReference';
import { isLearned } from '../grow/makeLarge';
import { summarize } from '../open/model';
import { software } from '../write/software';
import type { Comparison } from './open';
import { growthSettings } from './request';
import { finalLoss, savingsOf, spreadOf } from '../../report/savings';
import { smallTrainingOf } from './smallTraining';
import { by } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';
import type { Note } from '../../errors';
import type { Unworded } from '../../remedy/worded';

/** Everything that a comparison found. @param now milliseconds since the epoch. */
export async function buildReport(
  comparison: Comparison,
  runs: readonly ComparisonRun[],
  now: number,
): Promise<Unworded<ComparisonReport>> {
  const { request, model, growth, sha256, engine, data } = comparison;
  const smallTraining = await smallTrainingOf(comparison);
  const finished = runs.filter(run => run.state === 'finished');
  const { description } = data.batches;
  const names = [...new Set(runs.map(({ method }) => method as GrowthMethodName))];
  const learned = names.filter(isLearned);
  const methods = summarizeMethods(runs, smallTraining?.flops);
  const sameBatches = gotSameBatches(finished);
  return {
    version: 1,
    software,
    created: new Date(now).toISOString(),
    ...(request.command !== undefined && { command: request.command }),
    source: {
      ...summarize(growth.source),
      path: sourceName(model.path, model.checkpoint.directory),
      sha256,
    },
    target: summarize(growth.target),
    data: {
      path: request.data.data,
      sha256: description.sha256,
      heldOut: description.heldOut,
      unit: data.batches.unit,
      batchSize: data.shape.batchSize,
      sequenceLength: data.shape.sequenceLength,
      evaluationBatches: data.batches.evaluationBatches,
      ...(data.separatorNote !== undefined && { separator: data.separatorNote }),
    },
    settings: {
      steps: request.training.steps,
      evaluateEvery: request.evaluateEvery,
      seeds: request.seeds,
      training: { ...request.training },
      growth: Object.fromEntries(
        learned.map(method => [method, { ...growthSettings(request, method) }]),
      ),
    },
    machine: {
      engine: engine.description,
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      cores: availableParallelism(),
      parallel: request.parallel ?? 1,
    },
    ...(smallTraining && { smallTraining }),
    flopsPerStep: comparison.flopsPerStep,
    ...(finished[0] && { small: finished[0].small }),
    runs,
    methods,
    sameBatches,
    notes: notesOn(methods, { small: finished[0]?.small.loss, sameBatches }),
  };
}

/** Why the savings may not be what they seem; @param small held-out loss of the small model. */
export function notesOn(
  methods: readonly MethodSummary[],
  { small, sameBatches }: { readonly small: number | undefined; readonly sameBatches: boolean },
): readonly Note[] {
  const scratch = methods.find(({ method }) => method === yardstick);
  const end = scratch?.end?.mean;
  const others = {
    message: 'The methods were not given the same batches.',
    remedy: 'Do not compare them; report it as a defect.',
  };
  const short = {
    message: `Training from scratch ended at a loss of ${end?.toFixed(3)}, above the small model’s ${small?.toFixed(3)}: growths start about there, so that savings tell little.`,
    remedy: 'Train longer, or grow a small model that was trained less.',
  };
  const alone = {
    message: 'Only training from scratch was made, so there is nothing to compare it with.',
    remedy: advise`Name other methods${by('methods')}.`,
  };
  const stuck = {
    message:
      'Training from scratch ended no better than it began, so nothing can be saved against it.',
    remedy: advise`Train longer, or at another learning rate${by('trainingRate')}.`,
  };
  const isStuck = end !== undefined && scratch!.start !== undefined && end >= scratch!.start.mean;
  const isAlone = methods.every(({ method }) => method === yardstick);
  const isShort = end !== undefined && small !== undefined && end > small;
  return [
    ...(isAlone ? [alone] : []),
    ...(sameBatches ? [] : [others]),
    ...(isStuck ? [stuck] : isShort ? [short] : []),
  ];
}

/**
 * Methods with the mean and range of what they saved, best first.
 * @param smallFlops exact FLOPs of the small model's own training, where known.
 */
export function summarizeMethods(
  runs: readonly ComparisonRun[],
  smallFlops?: number,
): readonly MethodSummary[] {
  const scratch = new Map(
    runs.flatMap(run =>
      run.method === yardstick && run.state === 'finished' && hasLearned(run)
        ? [[run.seed, run] as const]
        : [],
    ),
  );
  const names = [...new Set(runs.map(({ method }) => method))];
  return names
    .map(method => {
      const own = runs.filter(run => run.method === method);
      return summarizeMethod(method as GrowthMethodName, own, { scratch, smallFlops });
    })
    .sort(bestFirst);
}

/** A run that is no better at its end than at its start is reached for nothing. */
const hasLearned = (run: FinishedRun): boolean => finalLoss(run) < run.curve[0]!.loss;

function summarizeMethod(
  method: GrowthMethodName,
  runs: readonly ComparisonRun[],
  {
    scratch,
    smallFlops,
  }: {
    readonly scratch: ReadonlyMap<number, FinishedRun>;
    readonly smallFlops: number | undefined;
  },
): MethodSummary {
  const { title, does, source } = growthMethod(method);
  const finished = runs.filter((run): run is FinishedRun => run.state === 'finished');
  const failures = runs.filter((run): run is FailedRun => run.state === 'failed');
  const seeds = finished.flatMap((run): SeedSavings[] => {
    const against = scratch.get(run.seed);
    return against ? [savingsOf(run, against, smallFlops)] : [];
  });
  const reached = seeds.flatMap(({ savings }) => (savings ? [savings] : []));
  const spread = (read: (run: FinishedRun) => number | undefined): Spread | undefined =>
    spreadOf(finished.flatMap(run => read(run) ?? []));
  const start = spread(({ curve }) => curve[0]!.loss);
  const end = spread(finalLoss);
  const parity = spread(run => run.parity?.relativeError);
  const growthSeconds = spread(({ growth }) => growth.seconds);
  const savings = reached.length === seeds.length ? savingsSpread(reached) : undefined;
  return {
    method,
    title,
    does,
    source,
    seeds,
    failures,
    finished: finished.length,
    reached: reached.length,
    ...(savings && { savings }),
    ...(start && { start }),
    ...(end && { end }),
    ...(parity && { parity }),
    ...(growthSeconds && { growthSeconds }),
  };
}

function savingsSpread(
  reached: readonly NonNullable<SeedSavings['savings']>[],
): MethodSummary['savings'] {
  const flops = spreadOf(reached.map(savings => savings.flops));
  const paperFlops = spreadOf(reached.map(savings => savings.paperFlops));
  const seconds = spreadOf(reached.map(savings => savings.seconds));
  if (!flops || !paperFlops || !seconds) return undefined;
  const flopsWithSmall = spreadOf(reached.flatMap(savings => savings.flopsWithSmall ?? []));
  return { flops, paperFlops, seconds, ...(flopsWithSmall && { flopsWithSmall }) };
}

/** By what was saved; then by where the run ended; what never finished comes last. */
function bestFirst(a: MethodSummary, b: MethodSummary): number {
  const saved = ({ savings }: MethodSummary): number => savings?.flops.mean ?? -Infinity;
  const ended = ({ end }: MethodSummary): number => end?.mean ?? Infinity;
  if (saved(a) !== saved(b)) return saved(b) - saved(a);
  return ended(a) === ended(b) ? 0 : ended(a) - ended(b);
}

/** True when all runs of each seed were given the same training batches and the same held-out ones. */
export function gotSameBatches(runs: readonly FinishedRun[]): boolean {
  const evaluations = new Set(runs.map(({ fed }) => fed.evaluation));
  const perSeed = new Set(runs.map(({ seed, fed }) => `${seed}:${fed.training}`));
  const seeds = new Set(runs.map(({ seed }) => seed));
  return evaluations.size <= 1 && perSeed.size === seeds.size;
}
