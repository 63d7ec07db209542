import { UsageError } from '../errors';
import type { FreshnessSetting, Initialization, OperatorMapping } from '../growth';
import { growthMethod, type GrowthMethodName } from '../growth/methods';
import type { AdamWOptions, ParameterGroup, Schedule, TrainingOptions } from '../training';
import { leaveOut, set } from '../remedy/actions';
import { advise } from '../remedy/remedy';

/** What every training shares: how long, and by what optimizer. */
export interface OptimizerSettings {
  readonly steps: number;
  readonly weightDecay: number;
  readonly schedule: Schedule['kind'];
  readonly warmup: number;
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  readonly clipNorm: number;
  /** Batches whose gradients make one update; 1 where absent. */
  readonly accumulate?: number;
  /** Computes activations again in the backward pass, which takes longer and less memory. */
  readonly recompute?: boolean;
}

/** Batches that one update reads. */
export const batchesPerUpdate = ({ accumulate = 1 }: OptimizerSettings): number => accumulate;

/** How a step's program is built. */
export const trainingOptions = (settings: OptimizerSettings): TrainingOptions => ({
  accumulate: batchesPerUpdate(settings) > 1,
  recomputeLayers: settings.recompute ?? false,
});

/** How operators are learned. */
export interface LigoSettings extends OptimizerSettings {
  /** Which operators are learned; LiGO's where absent. */
  readonly mapping?: OperatorMapping;
  readonly initialization: Initialization;
  /** How much of a model from scratch is added to new weights afterwards; 0 is the paper's. */
  readonly freshness: FreshnessSetting;
  /** Peak learning rates. */
  readonly widthLearningRate: number;
  readonly depthLearningRate: number;
}

/** How a checkpoint is trained on; weight decay applies to matrices, not to biases and norms. */
export interface TrainSettings extends OptimizerSettings {
  /** Peak. */
  readonly learningRate: number;
  /** Share of the tokens that pass the middle layers by, above 0 and below 1; none where absent. */
  readonly tokenDrop?: number;
  /** Highest share of sequences that pass a layer by, above 0 and below 1; none where absent. */
  readonly layerDrop?: number;
  /** Trains the bottom layers alone at first; the whole network from the start where absent. */
  readonly subNetwork?: SubNetwork;
}

/** The beginning of a training in which only the bottom layers are computed. */
export interface SubNetwork {
  readonly steps: number;
  /** Half of them, rounded up, where absent. */
  readonly layers?: number;
}

const commonDefaults = { betas: [0.9, 0.98], epsilon: 1e-6, clipNorm: 1 } as const;

/** The defaults that the study in docs/operator-study.md found on the three examples. */
export const defaultLigoSettings: Omit<LigoSettings, 'steps' | 'warmup'> = {
  initialization: { depth: 'stackbert_noisy', width: 'rand', normCorrection: 'pre-norm' },
  freshness: 'pre-norm',
  widthLearningRate: 3e-3,
  depthLearningRate: 6e-2,
  weightDecay: 0,
  schedule: 'linear',
  ...commonDefaults,
};

/** The defaults of a method: what it brings along comes before what the study found. */
export function ligoDefaults(
  name: GrowthMethodName,
): Omit<LigoSettings, 'steps' | 'warmup'> & { readonly warmup?: number } {
  const { making } = growthMethod(name);
  return { ...defaultLigoSettings, ...(making.kind === 'learned' && making.preset) };
}

/** What a person may say of learning operators; what is left out is the method's own. */
export interface LearningOptions {
  readonly steps: number;
  /** Peak, of all operators. */
  readonly learningRate?: number | undefined;
  readonly accumulate?: number | undefined;
  readonly recompute?: boolean | undefined;
  /** One width operator for the feed-forward units of all layers. */
  readonly shareFfn?: boolean | undefined;
}

/** The settings of a method, as a person changed them. Throws UsageError for what does not fit it. */
export function ligoSettings(name: GrowthMethodName, options: LearningOptions): LigoSettings {
  const { steps, learningRate, accumulate, recompute, shareFfn } = options;
  const preset = ligoDefaults(name);
  if (shareFfn && preset.mapping) {
    throw new UsageError(
      `Sharing feed-forward operators says nothing for ${name}, whose operators are others.`,
      advise`${leaveOut('shareFfn')}, or ${set('method', 'ligo')}.`,
    );
  }
  return {
    warmup: defaultWarmup(steps),
    ...preset,
    steps,
    ...(learningRate !== undefined && {
      widthLearningRate: learningRate,
      depthLearningRate: learningRate,
    }),
    ...(accumulate !== undefined && { accumulate }),
    ...(recompute && { recompute }),
    ...(shareFfn && { mapping: 'shared-ffn' as const }),
  };
}

/** Defaults of continued pretraining; the rate suits small models. */
export const defaultTrainSettings: Omit<TrainSettings, 'steps' | 'warmup'> = {
  learningRate: 1e-3,
  weightDecay: 0.01,
  schedule: 'cosine',
  ...commonDefaults,
};

/** What a person may say of a training; what is left out is the default. */
export interface TrainOptions {
  readonly steps: number;
  /** Peak. */
  readonly learningRate?: number | undefined;
  readonly schedule?: Schedule['kind'] | undefined;
  readonly warmup?: number | undefined;
  readonly weightDecay?: number | undefined;
  readonly accumulate?: number | undefined;
  readonly recompute?: boolean | undefined;
  readonly tokenDrop?: number | undefined;
  readonly layerDrop?: number | undefined;
  readonly subNetworkSteps?: number | undefined;
  readonly subNetworkLayers?: number | undefined;
}

/** The settings of a training, as a person changed them. Throws UsageError for half a setting. */
export function trainSettings(options: TrainOptions): TrainSettings {
  const { steps, learningRate, schedule, weightDecay, accumulate, tokenDrop, layerDrop } = options;
  const { subNetworkSteps: first, subNetworkLayers: layers } = options;
  if (layers !== undefined && first === undefined) {
    throw new UsageError(
      'It was said how large a sub-network is, but not how long it is trained.',
      advise`${set('subNetworkSteps')} too.`,
    );
  }
  const preset = defaultTrainSettings;
  return {
    ...preset,
    // A stopped run is known by its settings, in this order.
    ...(accumulate !== undefined && { accumulate }),
    ...(options.recompute && { recompute: true }),
    steps,
    warmup: options.warmup ?? defaultWarmup(steps),
    learningRate: learningRate ?? preset.learningRate,
    weightDecay: weightDecay ?? preset.weightDecay,
    schedule: schedule ?? preset.schedule,
    ...(tokenDrop !== undefined && { tokenDrop }),
    ...(layerDrop !== undefined && { layerDrop }),
    ...(first !== undefined && {
      subNetwork: { steps: first, ...(layers !== undefined && { layers }) },
    }),
  };
}

/** Warm-up that goes with a number of steps when none is given: a tenth. */
export const defaultWarmup = (steps: number): number => Math.floor(steps / 10);

/** The two groups operators are trained in. */
export const operatorGroups = (settings: LigoSettings): readonly ParameterGroup[] => [
  {
    name: 'width',
    learningRate: settings.widthLearningRate,
    weightDecay: settings.weightDecay,
  },
  {
    name: 'depth',
    learningRate: settings.depthLearningRate,
    weightDecay: settings.weightDecay,
  },
];

/** The optimizer's part of the settings. */
export const optimizerOptions = (settings: OptimizerSettings): AdamWOptions => ({
  betas: settings.betas,
  epsilon: settings.epsilon,
  clipNorm: settings.clipNorm,
});
