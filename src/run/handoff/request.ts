import { UsageError } from '../../errors';
import type { TrainingFacts } from '../../handoff/facts';
import { processes } from '../../handoff/sharding';
import type { Launcher, MachineFacts, SaidByReceipts, SlurmFacts } from '../../protocol/handoff';
import type { Architecture } from '../../architecture';
import { set, setAll } from '../../remedy/actions';
import { advise, type Option } from '../../remedy/remedy';
import type { DataOptions } from '../open/openData';
import type { StateWish } from '../open/optimizerState';
import { defaultTrainSettings, defaultWarmup } from '../settings';
import { latest, type Receipts } from '../open/receipts';

/** What a person asks for; what they leave out, receipts say. */
export interface HandoffRequest {
  readonly checkpoint: string;
  readonly to: Launcher;
  readonly out: string;
  readonly overwrite?: boolean;
  readonly data: Omit<DataOptions, 'data' | 'seed'> & { readonly data?: string | undefined };
  readonly seed?: number | undefined;
  readonly steps?: number | undefined;
  readonly learningRate?: number | undefined;
  readonly warmup?: number | undefined;
  readonly schedule?: TrainingFacts['schedule'] | undefined;
  readonly weightDecay?: number | undefined;
  readonly accumulate?: number | undefined;
  readonly recompute?: boolean | undefined;
  readonly evaluateEvery?: number | undefined;
  /** Whether the optimizer goes on with the state beside the checkpoint; where there is one by default. */
  readonly optimizerState?: StateWish;
  readonly machines: MachineFacts;
  readonly slurm: SlurmFacts;
}

/** A request with what receipts say in the place of what was left out. */
export interface SettledRequest {
  readonly data: DataOptions;
  readonly training: TrainingFacts;
}

/** Evaluations of a training where nobody says how often. */
const usualEvaluations = 10;

/** What receipts say of how to train on, and of how lines of text are joined. */
export function saidBy(
  receipts: Receipts,
): SaidByReceipts & { readonly separator?: DataOptions['separator'] } {
  const { data } = latest(receipts) ?? {};
  const earlier = receipts.training?.settings;
  return {
    data: data?.path,
    steps: earlier?.steps,
    learningRate: earlier?.learningRate,
    schedule: earlier?.schedule,
    batchSize: data?.batches?.size,
    sequenceLength: data?.batches?.sequenceLength,
    separator: data?.batches?.lineSeparator,
  };
}

/** Settles a request. Throws UsageError naming everything that neither options nor receipts say. */
export function settle(
  architecture: Architecture,
  receipts: Receipts,
  request: HandoffRequest,
): SettledRequest {
  const receipt = latest(receipts);
  const earlier = receipts.training?.settings;
  const { seed: grownSeed, data: read } = receipt ?? {};
  const isText = architecture.accepts.kind === 'tokens';
  const joins = architecture.objective === 'causal-language-modeling';
  const said = saidBy(receipts);
  const path = request.data.data ?? said.data;
  const steps = request.steps ?? said.steps;
  const learningRate = request.learningRate ?? said.learningRate;
  const batchSize = request.data.batchSize ?? said.batchSize;
  const sequenceLength = request.data.sequenceLength ?? said.sequenceLength;
  const separator = request.data.separator ?? said.separator;
  const missing: (Option | false)[] = [
    path === undefined && 'data',
    steps === undefined && 'steps',
    learningRate === undefined && 'trainingRate',
    batchSize === undefined && 'batch',
    isText && sequenceLength === undefined && 'sequenceLength',
    joins && separator === undefined && 'lineSeparator',
  ];
  const unsaid = missing.filter(option => option !== false);
  if (
    path === undefined ||
    steps === undefined ||
    learningRate === undefined ||
    batchSize === undefined ||
    unsaid.length > 0
  ) {
    const why = receipt
      ? `${receipt.from} beside the checkpoint does not say all of how to train it on.`
      : 'There is no receipt beside the checkpoint that says how to train it on.';
    throw new UsageError(why, advise`${setAll(unsaid)}.`);
  }
  const accumulate = request.accumulate ?? earlier?.accumulate ?? 1;
  const ofReceipt = request.steps === undefined ? earlier?.warmup : undefined;
  return {
    data: {
      data: path,
      evaluationData: request.data.evaluationData,
      leaveOutBroken: request.data.leaveOutBroken,
      seed: 0,
      batchSize,
      sequenceLength: isText ? sequenceLength : undefined,
      evaluationBatches: request.data.evaluationBatches ?? read?.batches?.heldOut,
      separator: joins ? separator : undefined,
    },
    training: {
      steps,
      learningRate,
      warmup: request.warmup ?? ofReceipt ?? defaultWarmup(steps),
      schedule: request.schedule ?? said.schedule ?? defaultTrainSettings.schedule,
      weightDecay: request.weightDecay ?? earlier?.weightDecay ?? defaultTrainSettings.weightDecay,
      betas: earlier?.betas ?? defaultTrainSettings.betas,
      epsilon: earlier?.epsilon ?? defaultTrainSettings.epsilon,
      clipNorm: earlier?.clipNorm ?? defaultTrainSettings.clipNorm,
      batch: batchSize * accumulate,
      accumulate: accumulateOf(batchSize, accumulate, request.machines),
      recompute: request.recompute ?? earlier?.recompute ?? false,
      evaluateEvery: request.evaluateEvery ?? Math.max(1, Math.floor(steps / usualEvaluations)),
      seed: request.seed ?? grownSeed ?? 0,
    },
  };
}

/** Parts in which each GPU computes its share of an update: as many as asked for, or fewer with more GPUs. */
function accumulateOf(size: number, accumulate: number, machines: MachineFacts): number {
  const count = processes(machines);
  const batch = size * accumulate;
  if (batch % count !== 0) {
    throw new UsageError(
      `An update of ${batch} cannot be divided evenly among ${count} GPUs.`,
      advise`Choose sizes of which ${count} is a divisor: ${set('batch', count * Math.ceil(size / count))}.`,
    );
  }
  const share = batch / count;
  let parts = Math.ceil(share / size);
  while (share % parts !== 0) parts++;
  return parts;
}
