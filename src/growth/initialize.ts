import { fixedRoles } from '../architecture/parameter';
import { randomGenerator, randomStreams, type RandomGenerator } from '../random';
import { learnedOperators, type OperatorMapping } from './mapping';
import { multilinearStart } from './multilinear';
import { outerNorms, type Growth, type Operator, type OperatorValues } from './operators';

/**
 * How a depth operator starts (released code): `stackbert` copies layer i mod L1, `interlace` layer
 * ⌊i · L1 / L2⌋; `_noisy` adds U(0, 0.03) to the others; every row is divided by its sum.
 */
export const depthInitializations = [
  'stackbert_noisy',
  'stackbert',
  'interlace_noisy',
  'interlace',
  'rand',
] as const;
export type DepthInitialization = (typeof depthInitializations)[number];

/**
 * How a width operator's M starts (released code): `rand` rows U(0, 1) divided by their sum, `sel`
 * one-hot at a random unit (Net2Net), `sel_noisy` U(0, 0.03) with 1 at the chosen unit; `zero` is
 * ours: new units start silent.
 */
export const widthInitializations = ['rand', 'sel', 'sel_noisy', 'zero'] as const;
export type WidthInitialization = (typeof widthInitializations)[number];

/** The noise of the released code's `_noisy` initialisations. */
const noise = 0.03;

/** Where operators start. */
export interface Initialization {
  readonly depth: DepthInitialization;
  readonly width: WidthInitialization;
  /**
   * Ours, not the paper's: multiplies LayerNorm weights by √(D1 / D2) at the start, those outside the
   * layers by an operator of their own. `rand` gives new units almost no variance, so normalising over
   * D2 units inflates the old ones by √(D2 / D1); this takes it back.
   */
  readonly normCorrection?: NormCorrection;
}

/** Which models' norms are corrected: `pre-norm` those that normalise what a branch reads (GPT-2, ViT). */
export type NormCorrection = 'none' | 'pre-norm' | 'all';

/**
 * The operators that a start gives values: LiGO's, which are learned, and those of outer norms where
 * norms are corrected, which stay as they are: learned, they cost the held-out loss what they gain in
 * training (docs/operator-study.md).
 */
export const startedOperators = (
  growth: Growth,
  initialization: Initialization,
  mapping?: OperatorMapping,
): Operator[] => [
  ...learnedOperators(growth, mapping),
  ...(correctsNorms(growth, initialization) ? outerNorms(growth) : []),
];

/** New units that copy old ones (`sel`) have their variance: then there is nothing to take back. */
const correctsNorms = (
  growth: Growth,
  { width, normCorrection = 'none' }: Initialization,
): boolean =>
  (width === 'rand' || width === 'zero') &&
  (normCorrection === 'all' ||
    (normCorrection === 'pre-norm' && growth.source.normPlacement === 'pre'));

/** Initial values of the operators of a growth; the same seed gives the same values. */
export function initialOperators(
  growth: Growth,
  initialization: Initialization,
  seed: number,
  mapping?: OperatorMapping,
): OperatorValues {
  const operators = startedOperators(growth, initialization, mapping);
  const correctNorms = correctsNorms(growth, initialization);
  const started = initializeOperators(operators, initialization, seed, { correctNorms });
  return mapping === 'mango' ? multilinearStart(growth, started) : started;
}

/** Initial values of given operators. */
export function initializeOperators(
  operators: readonly Operator[],
  { depth, width }: Initialization,
  seed: number,
  { correctNorms = false }: { readonly correctNorms?: boolean } = {},
): OperatorValues {
  return Object.fromEntries(
    operators.map((operator, index) => {
      const random = randomGenerator(seed, randomStreams.operatorInitialization, index);
      const values = isOuterNorm(operator)
        ? Float32Array.of(1)
        : operator.group === 'depth'
          ? initialDepth(operator.shape, depth, random)
          : initialWidth(operator.shape, width, random);
      return [operator.name, correctNorms ? corrected(operator, operators, values) : values];
    }),
  );
}

/** True for operators that weights of norms are multiplied by, or blended with; norms of heads stay. */
const isOfNorm = ({ of }: Operator): boolean =>
  of?.module === 'norm' && of.part === 'weight' && !fixedRoles.has(of.space);

const isOuterNorm = (operator: Operator): boolean =>
  operator.group === 'width' && isOfNorm(operator);

/** Values scaled by √(D1 / D2) where they blend LayerNorm weights. */
function corrected(
  operator: Operator,
  operators: readonly Operator[],
  values: Float32Array,
): Float32Array {
  const residual = operators.find(({ role }) => role === 'residual');
  if (!residual || !isOfNorm(operator)) return values;
  const [added, small] = residual.shape;
  const scale = Math.sqrt(small / (small + added));
  return values.map(value => value * scale);
}

function initialDepth(
  [large, small]: readonly [number, number],
  initialization: DepthInitialization,
  random: RandomGenerator,
): Float32Array {
  const values = new Float32Array(large * small);
  for (let row = 0; row < large; row++) {
    const entries = values.subarray(row * small, (row + 1) * small);
    if (initialization === 'rand') fill(entries, () => random.uniform());
    else {
      if (initialization.endsWith('_noisy')) fill(entries, () => random.uniform() * noise);
      const chosen = initialization.startsWith('stackbert')
        ? row % small
        : Math.floor((row * small) / large);
      entries[chosen] = 1;
    }
    normalize(entries);
  }
  return values;
}

function initialWidth(
  [added, small]: readonly [number, number],
  initialization: WidthInitialization,
  random: RandomGenerator,
): Float32Array {
  const values = new Float32Array(added * small);
  for (let row = 0; row < added; row++) {
    const entries = values.subarray(row * small, (row + 1) * small);
    if (initialization === 'rand') {
      fill(entries, () => random.uniform());
      normalize(entries);
    } else if (initialization !== 'zero') {
      if (initialization === 'sel_noisy') fill(entries, () => random.uniform() * noise);
      entries[random.integer(small)] = 1;
    }
  }
  return values;
}

function fill(entries: Float32Array, value: () => number): void {
  for (let i = 0; i < entries.length; i++) entries[i] = value();
}

function normalize(entries: Float32Array): void {
  const sum = entries.reduce((total, value) => total + value, 0);
  for (let i = 0; i < entries.length; i++) entries[i]! /= sum;
}
