import { UnsupportedError } from '../errors';
import type { Architecture, ModuleKind, Parameter, Space, SpaceRole } from '../architecture';
import { fixedRoles, spaceName } from '../architecture/parameter';

/** Width operators map units of the small model to new units; depth operators blend layers. */
export type OperatorGroup = 'width' | 'depth';

/**
 * One learned operator. Width: M `[D2 − D1, D1]`, the lower block of B = [I; M], one a space that
 * grows. Depth: w `[L2, L1]`, one a module kind and part (paper §3.2, §3.3; released code).
 */
export interface Operator {
  /** `width.residual`, `width.query.3`, `depth.q.weight`. */
  readonly name: string;
  readonly group: OperatorGroup;
  readonly shape: readonly [number, number];
  /** Of a width operator of a space, which kind of space. */
  readonly role?: SpaceRole;
  /** Of a depth operator, the layers that its rows and columns are; all of them where absent. */
  readonly layers?: { readonly large: readonly number[]; readonly small: readonly number[] };
  /** Of an operator of one kind of parameter, what those are. */
  readonly of?: Pick<Parameter, 'module' | 'part'> & { readonly space: SpaceRole };
}

/** Values of operators, row-major, by name. */
export type OperatorValues = Readonly<Record<string, Float32Array>>;

/** A small model and the larger one it grows into. */
export interface Growth {
  readonly source: Architecture;
  readonly target: Architecture;
}

/** Name of a space's width operator. */
export const widthName = (space: Space): string => `width.${spaceName(space)}`;

/** Name of the depth operator of a module kind's weights or biases. */
export const depthName = (kind: ModuleKind, part: Parameter['part']): string =>
  `depth.${kind}.${part}`;

/**
 * Name of what readers of a space take of each small unit: s `[1, D1]`, so that A = B · diag(s) where
 * the paper has A = B. Copying methods put 1 / (number of copies) there.
 */
export const shareName = (space: Space): string => `share.${spaceName(space)}`;

/**
 * Name of constants added to a module kind's blended layers before they are widened: c `[L2, 1]`.
 * Methods that insert layers which pass their input on give norms a weight of one by it.
 */
export const onesName = (kind: ModuleKind, part: Parameter['part']): string =>
  `ones.${kind}.${part}`;

/**
 * Name of what a parameter outside the layers is multiplied by when its space grows: `[1, 1]`. Those in
 * the layers are multiplied by their depth operator.
 */
export const outerScaleName = ({ id }: Parameter): string => `width.${id}`;

/** Name of the input that holds the small model's part of a parameter. */
export const smallInputName = ({ id, kind, part }: Parameter): string =>
  kind ? `small.${kind}.${part}` : `small.${id}`;

/** Sizes of a space in the small and the large model. */
export function spaceSizes(growth: Growth, role: SpaceRole): { small: number; large: number } {
  const small = growth.source.spaceSizes.get(role);
  const large = growth.target.spaceSizes.get(role);
  if (small === undefined || large === undefined) {
    throw new UnsupportedError(
      `One of the two models has no ${role} space.`,
      'Grow within one model class: the target must have the same parts as the source.',
    );
  }
  return { small, large };
}

/** Lengths of an axis in the small and the large model. */
export function axisSizes(
  growth: Growth,
  { role, spread }: Space,
): { small: number; large: number } {
  const { small, large } = spaceSizes(growth, role);
  const times = spread?.times ?? 1;
  return { small: small * times, large: large * times };
}

/** True when the space gets wider, so that it has a width operator. */
export function grows(growth: Growth, { role }: Space): boolean {
  if (fixedRoles.has(role)) return false;
  const { small, large } = spaceSizes(growth, role);
  return large > small;
}

/** Every operator LiGO learns for this growth, in the order the large model's parameters name them. */
export function operatorsOf(growth: Growth): Operator[] {
  const found = new Map<string, Operator>();
  const { source, target } = growth;
  const [small, large] = [source.dimensions.numHiddenLayers, target.dimensions.numHiddenLayers];
  for (const { spaces, kind, part, module } of target.parameters) {
    for (const space of spaces.filter(candidate => grows(growth, candidate))) {
      const sizes = spaceSizes(growth, space.role);
      const name = widthName(space);
      const shape = [sizes.large - sizes.small, sizes.small] as const;
      found.set(name, { name, group: 'width', shape, role: space.role });
    }
    if (!kind || found.has(depthName(kind, part))) continue;
    const name = depthName(kind, part);
    const of = { module, part, space: spaces[0]!.role };
    const layers = {
      large: layersWith(target, { kind, part }),
      small: layersWith(source, { kind, part }),
    };
    const inAll = layers.large.length === large && layers.small.length === small;
    const shape = [layers.large.length, layers.small.length] as const;
    found.set(name, { name, group: 'depth', shape, of, ...(!inAll && { layers }) });
  }
  return [...found.values()];
}

/**
 * Numbers of the layers that have a kind of parameter: all, but for the norm before ModernBERT's first
 * attention, which is not there.
 */
export const layersWith = (
  { parameters }: Architecture,
  { kind, part }: Pick<Parameter, 'kind' | 'part'>,
): readonly number[] =>
  parameters.flatMap(found =>
    found.kind === kind && found.part === part && found.layer !== undefined ? [found.layer] : [],
  );

/** A parameter's row among those of its kind in all layers that have it. */
export const rowOf = (architecture: Architecture, parameter: Parameter): number =>
  layersWith(architecture, parameter).indexOf(parameter.layer!);

/** The same of what a small layer has, or of the next layer's where it has none. */
export function sourceRow({ source }: Growth, parameter: Parameter, origin: number): number {
  const layers = layersWith(source, parameter);
  const found = layers.findIndex(layer => layer >= origin);
  return found < 0 ? layers.length - 1 : found;
}

/**
 * True when a parameter takes what it gets along an axis out of the space, false when it writes into
 * the space. Tables write the residual stream; the norm before a tied head reads it, since the head's
 * own table already writes it.
 */
export function readsSpace({ target }: Growth, parameter: Parameter, axis: number): boolean {
  if (axis === 1) return readsColumns(parameter, axis) && !followsTiedNorm(target, parameter);
  return target.head === 'tied' && isOfHeadNorm(target, parameter);
}

/**
 * True for a head that reads the norm before a tied table (GPT-2's multiple choice): the norm has taken
 * its share of each unit already.
 */
export const followsTiedNorm = (
  architecture: Architecture,
  { stage, module, part }: Parameter,
): boolean =>
  architecture.head === 'tied' &&
  headNorm(architecture)?.stage === 'final' &&
  stage === 'head' &&
  module === 'linear' &&
  part === 'weight';

/** True when an axis is the columns of a matrix that units are multiplied by; tables only write. */
export const readsColumns = ({ stage }: Parameter, axis: number): boolean =>
  axis === 1 && stage !== 'embedding';

/** The weight of the norm that a language model's table reads: its head's own, or the final one. */
const headNorm = ({ parameters }: Architecture): Parameter | undefined =>
  ['head', 'final']
    .map(stage => parameters.find(({ module, stage: at }) => module === 'norm' && at === stage))
    .find(norm => norm !== undefined);

/**
 * True where a tied table reads the residual stream itself, with no norm before it that could take shares
 * of copied units: then copies are counted twice, in the stream and in the table.
 */
export const readsStreamThroughTable = (architecture: Architecture): boolean =>
  architecture.head === 'tied' &&
  headNorm(architecture) === undefined &&
  !architecture.spaceSizes.has('embedding');

/** True for a head that reads the residual stream without a norm before it (OPT without its last norm). */
export const readsStream = (architecture: Architecture, { stage, module }: Parameter): boolean =>
  stage === 'head' && module === 'linear' && headNorm(architecture) === undefined;

const isOfHeadNorm = (architecture: Architecture, { module, stage }: Parameter): boolean =>
  module === 'norm' && stage === headNorm(architecture)?.stage;

/** True for norms of what branches give to the residual stream. */
export const givesToStream = ({ kind }: Parameter): boolean =>
  kind === 'ln1Out' || kind === 'ln2Out';

/**
 * What a parameter is multiplied by so that a word table which enters the network √hiddenSize times as
 * large (Gemma) enters it as before: the table by √(D1 / D2), and what reads the table as it is, the norm
 * before a tied head, by the inverse. 1 in all other cases.
 */
export function entryScale({ source, target }: Growth, parameter: Parameter): number {
  const ratio = (source.embeddingScale ?? 1) / (target.embeddingScale ?? 1);
  if (ratio === 1) return 1;
  if (parameter.id === 'embeddings.word.weight' || followsTiedNorm(target, parameter)) return ratio;
  return target.head === 'tied' && isOfHeadNorm(target, parameter) ? 1 / ratio : 1;
}

/** Operators of what is multiplied outside the layers: norms whose space grows, and a scaled word table. */
export function outerScales(growth: Growth): Operator[] {
  return growth.target.parameters
    .filter(parameter => {
      const { module, part, stage, spaces } = parameter;
      const isNorm = module === 'norm' && part === 'weight';
      const widens = spaces.some(space => grows(growth, space));
      return stage !== 'layer' && widens && (isNorm || entryScale(growth, parameter) !== 1);
    })
    .map(parameter => ({
      name: outerScaleName(parameter),
      group: 'width',
      shape: [1, 1],
      of: {
        module: parameter.module,
        part: parameter.part,
        space: parameter.spaces.at(-1)!.role,
      },
    }));
}

/** Operators beyond the paper's that may be set: scales outside the layers, shares of readers, constants. */
export function optionalOperators(growth: Growth): Operator[] {
  const found = new Map(outerScales(growth).map(operator => [operator.name, operator]));
  for (const parameter of growth.target.parameters) {
    const { spaces, kind, part } = parameter;
    spaces.forEach((space, axis) => {
      if (!grows(growth, space) || !readsSpace(growth, parameter, axis)) return;
      const name = shareName(space);
      const { small } = spaceSizes(growth, space.role);
      found.set(name, { name, group: 'width', shape: [1, small] });
    });
    if (kind) {
      const name = onesName(kind, part);
      const layers = layersWith(growth.target, parameter).length;
      found.set(name, { name, group: 'depth', shape: [layers, 1] });
    }
  }
  return [...found.values()];
}

/**
 * The small model's parameters that one large parameter is made of: the same module in every small
 * layer, or the one parameter outside the layers.
 */
export function sourcesOf(growth: Growth, parameter: Parameter): readonly Parameter[] {
  const matches = (candidate: Parameter): boolean =>
    parameter.kind
      ? candidate.kind === parameter.kind && candidate.part === parameter.part
      : candidate.id === parameter.id;
  const sources = growth.source.parameters.filter(matches);
  if (sources.length === 0) throw new Error(`The small model has nothing for ${parameter.id}`);
  return sources;
}
