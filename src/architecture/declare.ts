import {
  fixedRoles,
  type Draw,
  type ModuleKind,
  type Parameter,
  type ParameterModule,
  type Space,
  type SpaceRole,
  type Stage,
  type StoredBlock,
} from './parameter';

/** Size of every space of a model; spaces that each layer has for itself are equally large in all of them. */
export type SpaceSizes = ReadonlyMap<SpaceRole, number>;

/** Shorthand for a space that belongs to no layer. */
export const space = (role: SpaceRole): Space => ({ role });

/** Length of an axis. */
function sizeOf(sizes: SpaceSizes, { role, spread }: Space): number {
  const size = sizes.get(role);
  if (size === undefined) throw new Error(`The model has no ${role} space`);
  return size * (spread?.times ?? 1);
}

/** One parameter as a family declares it; its shape follows from its spaces. */
export interface Declaration {
  readonly id: string;
  readonly module: ParameterModule;
  readonly stage: Stage;
  /** Zeros for biases, ones for norms, normal for all others where absent. */
  readonly draw?: Draw | undefined;
  /** Tensor name on disk. */
  readonly tensor: string;
  readonly spaces: readonly Space[];
  readonly kind?: ModuleKind;
  readonly layer?: number;
  /** Default true. */
  readonly used?: boolean;
  /** Shape on disk where it is not the logical one. */
  readonly storedShape?: readonly number[];
  readonly transposed?: boolean;
  readonly offset?: number;
  readonly runs?: StoredBlock['runs'];
  readonly plus?: number | undefined;
  readonly columns?: StoredBlock['columns'];
  readonly readAs?: readonly string[];
  readonly alsoWrittenAs?: readonly string[];
}

/** The parameter that a declaration means at the given sizes. */
export function declareParameter(sizes: SpaceSizes, declaration: Declaration): Parameter {
  const { id, module, stage, tensor, spaces, kind, layer } = declaration;
  const { runs, plus, columns, readAs, alsoWrittenAs } = declaration;
  const shape = spaces.map(axis => sizeOf(sizes, axis));
  const part = id.endsWith('.bias') ? 'bias' : 'weight';
  return {
    id,
    part,
    module,
    stage,
    draw: declaration.draw ?? usualDraw(module, part),
    ...(kind && { kind }),
    ...(layer !== undefined && { layer }),
    spaces,
    shape,
    stored: {
      tensor,
      shape: declaration.storedShape ?? shape,
      transposed: declaration.transposed ?? false,
      offset: declaration.offset ?? 0,
      ...(runs && { runs }),
      ...(plus !== undefined && { plus }),
      ...(columns && { columns }),
      ...(readAs && { readAs }),
      ...(alsoWrittenAs && { alsoWrittenAs }),
    },
    used: declaration.used ?? true,
  };
}

function usualDraw(module: ParameterModule, part: Parameter['part']): Draw {
  if (part === 'bias') return { kind: 'zeros' };
  return module === 'norm' || module === 'scale' ? { kind: 'ones' } : { kind: 'normal', scale: 1 };
}

/** How the weight and bias of a module lie on disk. */
export interface ModuleStorage {
  /** Tensor name without `.weight` and `.bias`. */
  readonly name: string;
  /** False for modules without a bias. Default true. */
  readonly bias?: boolean;
  /** True for [in, out] on disk. Default false. */
  readonly transposed?: boolean;
  /**
   * Where several modules share one tensor: its rows, and which of them are this module's. In a layer,
   * modules of one name share their tensor one after the other, unless this says otherwise.
   */
  readonly fused?: FusedStorage;
  /** What the disk leaves out of the weight's values. Default nothing. */
  readonly plus?: number | undefined;
  /** The weight's tensor name, where it is not `name` with `.weight` behind. */
  readonly tensor?: string;
}

/** A module's part of a tensor that several share. */
export interface FusedStorage {
  /** Rows of the tensor. */
  readonly total: number;
  /** The first of the module's. */
  readonly offset: number;
  readonly runs?: StoredBlock['runs'];
}

/** A module with a weight and usually a bias: its id and the spaces it leads out of and into. */
export interface ModuleDeclaration {
  /** Id without the part: `layers.3.q`. */
  readonly id: string;
  readonly out: Space;
  /** Absent for norms and scales, whose weight is a vector. */
  readonly in?: Space;
  /** Linear where it has an input, a norm where not, unless said otherwise. */
  readonly module?: ParameterModule;
  readonly stage: Stage;
  /** Of the weight, where it is not the usual one. */
  readonly draw?: Draw | undefined;
  readonly kind?: ModuleKind;
  readonly layer?: number;
  readonly used?: boolean;
}

/** The weight and, when there is one, the bias of a module. */
export function declareModule(
  sizes: SpaceSizes,
  { id, out, in: input, draw, module = input ? 'linear' : 'norm', ...rest }: ModuleDeclaration,
  { name, bias = true, transposed = false, fused, plus, tensor }: ModuleStorage,
): Parameter[] {
  const { total, offset, runs } = fused ?? { total: sizeOf(sizes, out), offset: 0 };
  const block = { offset, ...(runs && { runs }) };
  const inSizes = input ? [sizeOf(sizes, input)] : [];
  const weight = declareParameter(sizes, {
    ...rest,
    module,
    draw,
    id: `${id}.weight`,
    tensor: tensor ?? `${name}.weight`,
    spaces: input ? [out, input] : [out],
    storedShape: transposed ? [...inSizes, total] : [total, ...inSizes],
    transposed,
    plus,
    ...block,
  });
  if (!bias) return [weight];
  const biasVector = declareParameter(sizes, {
    ...rest,
    module,
    id: `${id}.bias`,
    tensor: `${name}.bias`,
    spaces: [out],
    storedShape: [total],
    ...block,
  });
  return [weight, biasVector];
}

/** A module of a layer as a family declares it: where it lies on disk, and what is not as usual. */
export interface LayerModule extends ModuleStorage {
  readonly draw?: Draw;
  /** The axes it leads out of and into, where they are not the usual ones; the layer's own spaces but for the residual. */
  readonly out?: Space;
  readonly in?: Space;
}

/** What every layer of a family consists of, in the order in which its parameters are told. */
export type LayerModules = Readonly<Partial<Record<ModuleKind, LayerModule>>>;

/** The spaces of a layer's modules (paper §3.3, with each line of Algorithm 1 read as its own matrix). */
const usualSpaces: Readonly<
  Record<ModuleKind, { out: SpaceRole; in?: SpaceRole; module?: ParameterModule }>
> = {
  q: { out: 'query', in: 'residual' },
  k: { out: 'key', in: 'residual' },
  v: { out: 'value', in: 'residual' },
  qNorm: { out: 'headDim' },
  kNorm: { out: 'headDim' },
  mixScores: { out: 'attentionHead', in: 'attentionHead' },
  mixWeights: { out: 'attentionHead', in: 'attentionHead' },
  o: { out: 'residual', in: 'value' },
  ln1: { out: 'residual' },
  ln1Out: { out: 'residual' },
  scale1: { out: 'residual', module: 'scale' },
  gate: { out: 'ffn', in: 'residual' },
  fc1: { out: 'ffn', in: 'residual' },
  fc2: { out: 'residual', in: 'ffn' },
  ln2: { out: 'residual' },
  ln2Out: { out: 'residual' },
  scale2: { out: 'residual', module: 'scale' },
};

/** The rows of modules that share a tensor with others of their name, in the order of `usualSpaces`. */
function rowsTogether(
  sizes: SpaceSizes,
  modules: LayerModules,
): Partial<Record<ModuleKind, FusedStorage>> {
  const kinds = (Object.keys(usualSpaces) as ModuleKind[]).filter(kind => modules[kind]);
  const rows = (kind: ModuleKind): number =>
    sizeOf(sizes, modules[kind]!.out ?? space(usualSpaces[kind].out));
  const sum = (some: readonly ModuleKind[]): number =>
    some.reduce((total, kind) => total + rows(kind), 0);
  const found = kinds.flatMap(kind => {
    const together = kinds.filter(other => modules[other]!.name === modules[kind]!.name);
    if (together.length === 1) return [];
    const before = together.slice(0, together.indexOf(kind));
    return [[kind, { total: sum(together), offset: sum(before) }] as const];
  });
  return Object.fromEntries(found);
}

/** Which of all layers one is: of those that grow in number, or of those of the class token alone. */
type LayerPlace = { readonly layer: number } | { readonly classLayer: number };

/**
 * All parameters of one layer; `prefix` stands before the tensor names of its modules. Layers of the class
 * token are as many in models of any size, so that no depth operator makes them: they lie outside.
 */
export function declareLayer(
  sizes: SpaceSizes,
  { prefix, ...place }: LayerPlace & { readonly prefix: string },
  modules: LayerModules,
): Parameter[] {
  const isInDepth = 'layer' in place;
  const id = isInDepth ? `layers.${place.layer}` : `classLayers.${place.classLayer}`;
  const ownSpace = (axis: Space): Space =>
    axis.role === 'residual' || fixedRoles.has(axis.role) ? axis : { ...axis, ...place };
  const together = rowsTogether(sizes, modules);
  return (Object.entries(modules) as [ModuleKind, LayerModule][]).flatMap(([kind, module]) => {
    const fused = module.fused ?? together[kind];
    const usual = usualSpaces[kind];
    const { draw, out = space(usual.out), in: input = usual.in && space(usual.in) } = module;
    return declareModule(
      sizes,
      {
        id: `${id}.${kind}`,
        out: ownSpace(out),
        ...(input && { in: ownSpace(input) }),
        ...(usual.module && { module: usual.module }),
        ...(isInDepth ? { stage: 'layer', kind, layer: place.layer } : { stage: 'final' }),
        draw,
      },
      {
        ...module,
        name: `${prefix}${module.name}`,
        ...(fused && { fused }),
        ...(module.tensor !== undefined && { tensor: `${prefix}${module.tensor}` }),
      },
    );
  });
}
