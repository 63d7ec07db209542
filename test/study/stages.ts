import type { TargetSizes } from '../../src/protocol/model';
import { defaultLigoSettings, type LigoSettings } from '../../src/run/settings';

/** One setting to try. */
export interface StudyRun {
  /** Names the setting in tables. */
  readonly label: string;
  readonly settings: Partial<LigoSettings>;
  readonly steps: number;
  readonly seed: number;
  readonly target: TargetSizes;
  readonly only?: readonly string[];
}

const both: TargetSizes = { layers: 6, hidden: 96 };
const run = (
  label: string,
  settings: Partial<LigoSettings>,
  more: Partial<StudyRun> = {},
): StudyRun => ({ label, settings, steps: 100, seed: 0, target: both, ...more });

const rates = [1e-3, 3e-3, 5e-3, 8e-3, 1.2e-2].flatMap(width =>
  [1e-2, 3e-2, 6e-2].map(depth =>
    run(`width ${width}, depth ${depth}`, {
      widthLearningRate: width,
      depthLearningRate: depth,
      schedule: 'cosine',
    }),
  ),
);

/** Where `variants` starts from; the defaults came out of it and of `norms`. */
const chosen = {
  widthLearningRate: 5e-3,
  depthLearningRate: 6e-2,
  schedule: 'cosine',
} as const;
const paper = { betas: [0.9, 0.999], weightDecay: 0.1, schedule: 'linear' } as const;
const start = (initialization: Partial<LigoSettings['initialization']>): Partial<LigoSettings> => ({
  initialization: { ...defaultLigoSettings.initialization, ...initialization },
});
const variant = (label: string, settings: Partial<LigoSettings>): StudyRun =>
  run(label, { ...chosen, ...settings });

const variants = [
  variant('chosen', {}),
  variant('linear decay', { schedule: 'linear' }),
  variant('constant rate', { schedule: 'constant' }),
  variant('betas 0.9, 0.999', { betas: [0.9, 0.999] }),
  variant('betas 0.9, 0.95', { betas: [0.9, 0.95] }),
  variant('weight decay 0.1', { weightDecay: 0.1 }),
  variant('no warm-up', { warmup: 0 }),
  variant('warm-up 20', { warmup: 20 }),
  variant('depth 1e-1', { depthLearningRate: 1e-1 }),
  variant('width 3e-3', { widthLearningRate: 3e-3 }),
  variant('zero rows', start({ width: 'zero' })),
  variant('one-hot rows', start({ width: 'sel' })),
  variant('noisy one-hot rows', start({ width: 'sel_noisy' })),
  variant('interlaced', start({ depth: 'interlace_noisy' })),
  variant('stacked without noise', start({ depth: 'stackbert' })),
  run('as released', { ...paper, widthLearningRate: 2e-6, depthLearningRate: 2e-6, warmup: 0 }),
  run('one rate 1e-3', { ...paper, widthLearningRate: 1e-3, depthLearningRate: 1e-3 }),
  run('one rate 5e-3', { ...paper, widthLearningRate: 5e-3, depthLearningRate: 5e-3 }),
];

const norms = (['cosine', 'linear'] as const).map(schedule =>
  run(`width 0.003, ${schedule}`, {
    ...chosen,
    ...start({ normCorrection: 'all' }),
    widthLearningRate: 3e-3,
    schedule,
  }),
);

const seeds = [0, 1, 2];
const final = [100, 300].flatMap(steps =>
  seeds.map(seed => run(`${steps} steps`, {}, { steps, seed })),
);
const axes = seeds.flatMap(seed => [
  run('depth only', {}, { seed, target: { layers: 6 } }),
  run('width only', {}, { seed, target: { hidden: 96 } }),
]);

/** The LayerNorm correction, outer norms included, at the defaults. */
const corrected = [100, 300].flatMap(steps =>
  seeds.map(seed => run(`${steps} steps`, start({ normCorrection: 'all' }), { steps, seed })),
);

/** Mango: the rate of its width operators and S_B, over seeds. */
const mango = [1.5e-3, 3e-3].flatMap(width =>
  seeds.map(seed =>
    run(`mango, width ${width}`, { mapping: 'mango', widthLearningRate: width }, { seed }),
  ),
);

/** Of stories260k, whose five layers and 64 units grow to these. */
const stories: Partial<StudyRun> = { target: { layers: 10, hidden: 96 }, only: ['stories260k'] };
const forLlamas = (
  label: string,
  settings: Partial<LigoSettings>,
  more: Partial<StudyRun> = {},
): StudyRun[] => [
  run(label, settings, { ...more, only: ['llama-kjv'] }),
  run(label, settings, { ...more, ...stories }),
];

/** Peak learning rates where RMSNorm normalises and heads are rotated, all else at the defaults. */
const llamaRates = [1e-3, 3e-3, 6e-3, 1.2e-2].flatMap(width =>
  [3e-2, 6e-2, 1.2e-1].flatMap(depth =>
    forLlamas(`width ${width}, depth ${depth}`, {
      widthLearningRate: width,
      depthLearningRate: depth,
    }),
  ),
);

/** The defaults in these models, the correction of norms left out too. */
const llamaSeeds = seeds.flatMap(seed => [
  ...forLlamas('the defaults', {}, { seed }),
  ...forLlamas('norms as they are', start({ normCorrection: 'none' }), { seed }),
]);

/** What was tried, in the order it was tried. */
export const stages: Readonly<Record<string, readonly StudyRun[]>> = {
  /** Peak learning rates of the two groups. */
  rates,
  /** The LayerNorm correction at several rates. */
  norms,
  /** One change at a time from the best rates. */
  variants,
  /** The defaults over seeds and lengths. */
  final,
  /** Only deeper, only wider. */
  axes,
  /** The defaults with the LayerNorm correction of layers and outer norms, over seeds and lengths. */
  corrected,
  /** Mango's width rate. */
  mango,
  llamaRates,
  llamaSeeds,
};
