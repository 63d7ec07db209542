import { UnsupportedError } from '../errors';
import {
  fixedRoles,
  spaceName,
  type Architecture,
  type ModuleKind,
  type Parameter,
  type Space,
  type SpaceRole,
} from '../architecture';

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
  for (const { spaces, kind, part } of target.parameters) {
    for (const space of spaces.filter(candidate => grows(growth, candidate))) {
      const sizes = spaceSizes(growth, space.role);
      const name = widthName(space);
      found.set(name, { name, group: 'width', shape: [sizes.large - sizes.small, sizes.small] });
    }
    if (kind) {
      const name = depthName(kind, part);
      found.set(name, { name, group: 'depth', shape: [large, small] });
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
