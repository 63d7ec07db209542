import { fixedRoles } from '../architecture/parameter';
import { randomGenerator, randomStreams, type RandomGenerator } from '../random';
import { learnedOperators, type OperatorMapping } from './mapping';
import { multilinearStart } from './multilinear';
import {
  entryScale,
  outerScaleName,
  outerScales,
  type Growth,
  type Operator,
  type OperatorValues,
} from './operators';

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

/** Which models' norms are corrected: `pre-norm` those that do not normalise sums (GPT-2, ViT, Llama). */
export type NormCorrection = 'none' | 'pre-norm' | 'all';

/**
 * The operators that a start gives values: LiGO's, which are learned, and scales outside the layers where
 * norms are corrected or the word table is scaled, which stay as they are: learned, they cost the held-out
 * loss what they gain in training (docs/operator-study.md).
 */
export const startedOperators = (
  growth: Growth,
  initialization: Initialization,
  mapping?: OperatorMapping,
): Operator[] => [
  ...learnedOperators(growth, mapping),
  ...(correctsNorms(growth, initialization) || scalesWordsAnew(growth) ? outerScales(growth) : []),
];

/** True where words enter the large network by another factor than the small one. */
const scalesWordsAnew = ({ source, target }: Growth): boolean =>
  source.embeddingScale !== target.embeddingScale;

/** New units that copy old ones (`sel`) have their variance: then there is nothing to take back. */
const correctsNorms = (
  growth: Growth,
  { width, normCorrection = 'none' }: Initialization,
): boolean =>
  (width === 'rand' || width === 'zero') &&
  (normCorrection === 'all' ||
    (normCorrection === 'pre-norm' && growth.source.normPlacement !== 'post'));

/** Initial values of the operators of a growth; the same seed gives the same values. */
export function initialOperators(
  growth: Growth,
  initialization: Initialization,
  seed: number,
  mapping?: OperatorMapping,
): OperatorValues {
  const operators = startedOperators(growth, initialization, mapping);
  const correctNorms = correctsNorms(growth, initialization);
  const started = {
    ...initializeOperators(operators, initialization, seed, { correctNorms }),
  };
  for (const parameter of growth.target.parameters) {
    const [name, scale] = [outerScaleName(parameter), entryScale(growth, parameter)];
    if (scale !== 1) started[name] = started[name]!.map(value => value * scale);
  }
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
      const values = isOuterScale(operator)
        ? Float32Array.of(1)
        : operator.group === 'depth'
          ? initialDepth(operator, depth, random)
          : initialWidth(operator.shape, width, random);
      return [operator.name, correctNorms ? corrected(operator, operators, values) : values];
    }),
  );
}

/** True for operators that weights of norms are multiplied by, or blended with; norms of heads stay. */
const isOfNorm = ({ of }: Operator): boolean =>
  of?.module === 'norm' && of.part === 'weight' && !fixedRoles.has(of.space);

const isOuterScale = ({ group, of }: Operator): boolean => group === 'width' && of !== undefined;

/** Values scaled by √(D1 / D2) of the space that is normalised, where they blend weights of norms. */
function corrected(
  operator: Operator,
  operators: readonly Operator[],
  values: Float32Array,
): Float32Array {
  if (!isOfNorm(operator)) return values;
  const normalised = operators.find(({ role }) => role === operator.of?.space);
  if (!normalised) return values;
  const [added, small] = normalised.shape;
  const scale = Math.sqrt(small / (small + added));
  return values.map(value => value * scale);
}

function initialDepth(
  { shape: [large, small], layers }: Operator,
  initialization: DepthInitialization,
  random: RandomGenerator,
): Float32Array {
  // Layers that not all have are numbered by all there are.
  const rows = layers?.large ?? Array.from({ length: large }, (_, row) => row);
  const columns = layers?.small ?? Array.from({ length: small }, (_, column) => column);
  const [deep, shallow] = [rows, columns].map(numbers => numbers.at(-1)! + 1) as [number, number];
  const values = new Float32Array(large * small);
  for (let row = 0; row < large; row++) {
    const entries = values.subarray(row * small, (row + 1) * small);
    if (initialization === 'rand') fill(entries, () => random.uniform());
    else {
      if (initialization.endsWith('_noisy')) fill(entries, () => random.uniform() * noise);
      const layer = rows[row]!;
      const origin = initialization.startsWith('stackbert')
        ? layer % shallow
        : Math.floor((layer * shallow) / deep);
      entries[columns.findIndex(column => column >= origin)] = 1;
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
