import type { Parameter, Space } from '../../architecture';
import { methodTitles } from '../../protocol/methodTitles';
import { randomGenerator, randomStreams } from '../../random';
import type { SmallValues } from '../growParameter';
import {
  axisSizes,
  entryScale,
  givesToStream,
  followsTiedNorm,
  grows,
  readsSpace,
  readsStream,
  spaceSizes,
  type Growth,
} from '../operators';
import { randomParameter } from '../randomParameter';
import { tableRefusals } from './copyOperators';
import { insertedLayers } from './layers';
import { smallMatrix, type Matrix } from './matrix';
import type { Refusal } from '../target';
import type { GrowthMethod } from './method';

/** How one axis gets longer. */
interface Expansion {
  /** Length of the axis in the large model. */
  readonly size: number;
  /** Indices below this repeat the small units in turn. */
  readonly copies: number;
  readonly scale: (index: number) => number;
  /**
   * What those above hold: the mean of all, nothing, a repetition where what is multiplied is nothing
   * already, or whatever is in a model from scratch where nobody writes what they read.
   */
  readonly rest: 'mean' | 'zero' | 'repeat' | 'scratch';
}

/** Keeps these draws apart from those of `copiedUnits`. */
const shareStream = 4;

/** How many entries of a grown axis repeat small ones: whole copies, in the residual stream. */
function copiesOf(growth: Growth, space: Space): number {
  const { small, large } = axisSizes(growth, space);
  return space.role === 'residual' ? small * Math.floor(large / small) : large;
}

/**
 * η = √(copies / D2): what remains of a residual vector's standard deviation when the units that are
 * left over hold its mean. 1 where the width is a multiple.
 */
function remainingDeviation(growth: Growth): number {
  const { large } = spaceSizes(growth, 'residual');
  return Math.sqrt(copiesOf(growth, { role: 'residual' }) / large);
}

/** Shares of the copies of each unit, uneven so that copies learn different things; they add up to 1. */
function unevenShares(copies: number, small: number, seed: number, index: number): Float64Array {
  const random = randomGenerator(seed, randomStreams.unitCopies, shareStream, index);
  const parts = Float64Array.from({ length: copies }, () => 0.5 + random.uniform());
  const sums = new Float64Array(small);
  parts.forEach((part, unit) => (sums[unit % small]! += part));
  return parts.map((part, unit) => part / sums[unit % small]!);
}

function expansionOf(
  growth: Growth,
  parameter: Parameter,
  axis: number,
  seed: number,
): Expansion | undefined {
  const space = parameter.spaces[axis];
  if (!space || !grows(growth, space)) return undefined;
  const { small, large: size } = axisSizes(growth, space);
  const copies = copiesOf(growth, space);
  const reads = readsSpace(growth, parameter, axis);
  const shares = reads
    ? unevenShares(copies, small, seed, growth.target.parameters.indexOf(parameter))
    : undefined;
  const share = (index: number): number => shares?.[index] ?? 1;
  const scaled = parameter.used || followsTiedNorm(growth.target, parameter);
  const { normPlacement, normKind } = growth.source;
  const isResidual = space.role === 'residual';
  const eta = isResidual && scaled ? remainingDeviation(growth) : 1;
  // How much larger the residual stream is written: where branches read it as it is, not at all.
  const stream = normPlacement === 'output' ? 1 : 1 / eta;
  if (axis === 0 && parameter.module === 'norm' && isResidual && normPlacement !== 'post') {
    // Where RMSNorm finds nothing it leaves nothing, and weights let gradients through.
    const rest = normKind === 'RMSNorm' ? 'repeat' : 'zero';
    // The normalised vector is 1 / η too large.
    const norm = parameter.part === 'weight' ? eta : 1;
    const writes = givesToStream(parameter) ? stream : 1;
    // A tied table was written like the stream.
    const table = reads ? 1 / stream : 1;
    return { size, copies, scale: index => norm * writes * table * share(index), rest };
  }
  if (reads && isResidual && readsStream(growth.target, parameter)) {
    // What was written as a mean is one here, and would be read.
    return { size, copies, scale: index => share(index) / stream, rest: 'zero' };
  }
  if (reads) return { size, copies, scale: share, rest: 'scratch' };
  // A mean takes nothing from LayerNorm's variance, and nothing nothing from RMSNorm's mean square.
  const rest = normKind === 'LayerNorm' ? 'mean' : 'zero';
  const written = parameter.stage === 'layer' ? 1 / eta : stream;
  return { size, copies, scale: () => written, rest };
}

function expandRows({ rows, columns, values }: Matrix, expansion: Expansion | undefined): Matrix {
  if (!expansion) return { rows, columns, values };
  const { size, copies, scale, rest } = expansion;
  const grown = new Float32Array(size * columns);
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += values[row * columns + column]!;
    const other = rest === 'mean' ? sum / rows : 0;
    for (let row = 0; row < size; row++) {
      const repeats = row < copies || rest === 'repeat';
      const value = repeats ? values[(row % rows) * columns + column]! : other;
      grown[row * columns + column] = value * scale(row);
    }
  }
  return { rows: size, columns, values: grown };
}

function transposed({ rows, columns, values }: Matrix): Matrix {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column]!;
    }
  }
  return { rows: columns, columns: rows, values: turned };
}

function expand(growth: Growth, parameter: Parameter, given: Matrix, seed: number): Float32Array {
  const scale = entryScale(growth, parameter);
  const small =
    scale === 1 ? given : { ...given, values: given.values.map(value => value * scale) };
  const wide = expandRows(small, expansionOf(growth, parameter, 0, seed));
  const columns = expansionOf(growth, parameter, 1, seed);
  if (!columns) return wide.values;
  const { values } = transposed(expandRows(transposed(wide), columns));
  if (columns.rest !== 'scratch' || columns.copies === columns.size) return values;
  // Those units are zero, so any weight reads them; one from scratch lets training use them.
  const scratch = randomParameter(growth.target, parameter, seed);
  return values.map((value, index) =>
    index % columns.size < columns.copies ? value : scratch[index]!,
  );
}

function makeWeights(growth: Growth, small: SmallValues, seed: number) {
  const layers = insertedLayers(growth);
  return (parameter: Parameter): Float32Array => {
    const { layer } = parameter;
    const origin = layer === undefined ? 0 : layers(layer, parameter);
    return expand(growth, parameter, smallMatrix(growth, small, parameter, origin), seed);
  };
}

/** A norm over all heads finds another mean square where some heads are repeated more often than others. */
function normalisedHeads({ source, target }: Growth): readonly Refusal[] {
  const isNormalised = source.parameters.some(
    ({ kind, spaces: [space] }) => kind === 'qNorm' && space?.role === 'query',
  );
  const [small, large] = [source.dimensions.numAttentionHeads, target.dimensions.numAttentionHeads];
  if (!isNormalised || large % small === 0) return [];
  return [
    {
      reason: `lemon cannot keep a model that normalises all heads together at ${large} heads, which are no multiple of ${small}.`,
      remedy: `Ask for ${small * Math.ceil(large / small)} heads and hidden units for them, or use another method.`,
    },
  ];
}

/** What is left over at an odd width holds a mean: some models would need one that no weights make. */
function oddWidths(growth: Growth): readonly Refusal[] {
  const { small, large } = spaceSizes(growth, 'residual');
  if (large % small === 0) return [];
  const { normPlacement, parameters } = growth.source;
  const scales = parameters.some(({ module }) => module === 'scale');
  const normsWords = parameters.some(
    ({ module, stage }) => module === 'norm' && stage === 'embedding',
  );
  if (!scales && normPlacement !== 'post' && !normsWords) return [];
  const [does, because] = scales
    ? [
        'scales what its branches give',
        'units that are left over would hold a mean that no factor makes',
      ]
    : ['normalises sums, or words,', "the mean of a LayerNorm's output is not known in advance"];
  return [
    {
      reason: `lemon cannot keep a model that ${does} at ${large} hidden units: ${large} is no multiple of ${small}, and ${because}.`,
      remedy: `Grow to ${small * Math.ceil(large / small)} hidden units, or use another method.`,
    },
  ];
}

/**
 * LEMON: units, feed-forward units and whole heads are repeated, and their readers split uneven
 * shares (Σ = 1) among the copies, which breaks the symmetry. Residual units that are left over hold
 * the vector's mean, so that LayerNorm sees the same mean and η² of the variance, η = √(⌊D2/D1⌋·D1/D2).
 * LEMON then scales the norms' weights by η and ε by η²; we write the residual stream 1/η times as
 * large instead of changing ε, which is the same function. New layers add nothing to the stream.
 */
export const lemon = {
  name: 'lemon',
  title: methodTitles.lemon,
  does: 'Repeats units in uneven shares, fills odd widths with the mean (where RMSNorm normalises, with nothing), and inserts layers that pass their input on.',
  preserves:
    'The function, up to rounding (post-norm models also the norms’ ε); post-norm models only grow to multiples of their hidden size.',
  source: 'Wang et al. 2024, LEMON: Lossless Model Expansion (ICLR, arXiv 2310.07999)',
  needsData: false,
  making: { kind: 'weights', weights: makeWeights },
  refusals: growth => [
    ...normalisedHeads(growth),
    ...tableRefusals(growth, 'lemon'),
    ...oddWidths(growth),
  ],
} as const satisfies GrowthMethod;
