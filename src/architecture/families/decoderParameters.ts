import type { Architecture, Dimensions, ModelConfig } from '../architecture';
import { headSizeOf, keyValueHeadsOf } from '../configFields';
import {
  declareLayer,
  declareModule,
  declareParameter,
  space,
  type FusedStorage,
  type LayerModule,
  type LayerModules,
  type SpaceSizes,
} from '../declare';
import type { ModuleKind, Parameter, Space, SpaceRole } from '../parameter';
import { embeddingSpace, withZeroRow } from './encoder';
import { taskParameters } from './taskHeads';
import {
  type Biases,
  llamaNames,
  type Decoder,
  type Draws,
  usualLayers,
  usualNorm,
  type Variant,
} from './decoder';

/** What the sizes of a decoder's spaces follow from. */
export interface SpaceFacts {
  readonly vocabularySize: number;
  readonly classes: number | undefined;
  /** Rows of the position table; undefined where heads are rotated. */
  readonly tableOfPositions: number | undefined;
  /** Of a word, where a projection makes hidden units of it. */
  readonly wordSize: number | undefined;
}

/** What o reads: the values, each once for every head that shares it; heads where all share one. */
function mixedValues(dimensions: Dimensions): Space {
  const { numAttentionHeads } = dimensions;
  const [headSize, shared] = [headSizeOf(dimensions), keyValueHeadsOf(dimensions)];
  if (shared === numAttentionHeads) return { role: 'value' };
  if (shared === 1) return { role: 'query', spread: { times: headSize, run: 1 } };
  return { role: 'value', spread: { times: numAttentionHeads / shared, run: headSize } };
}

/** The rows of queries, keys and values in a tensor that they share head by head. */
function rowsByHead(dimensions: Dimensions): Partial<Record<ModuleKind, FusedStorage>> {
  const headSize = headSizeOf(dimensions);
  const total = 3 * dimensions.numAttentionHeads * headSize;
  const runs = { length: headSize, every: 3 * headSize };
  const part = (index: number): FusedStorage => ({ total, offset: index * headSize, runs });
  return { q: part(0), k: part(1), v: part(2) };
}

/** The modules of a layer; heads of queries and keys are rotated, so that they only mix as a whole. */
export function layerModules(
  decoder: Decoder,
  dimensions: Dimensions,
  {
    normPlacement,
    normBias,
    draws,
  }: {
    readonly normPlacement: Architecture['normPlacement'];
    readonly normBias: boolean;
    readonly draws: Draws | undefined;
  },
  { queriesKeysValues = false, attentionOutput = false, feedForward = false }: Biases,
): LayerModules {
  const { names = llamaNames, norm = usualNorm } = decoder;
  const { normsHeads, gated = true, sharesTensorByHead = false } = decoder;
  const { modules } = names;
  const spread = { times: headSizeOf(dimensions), run: 1 };
  const rows = sharesTensorByHead ? rowsByHead(dimensions) : {};
  const linear = (kind: ModuleKind, bias: boolean, axes: Pick<LayerModule, 'out' | 'in'> = {}) => ({
    name: modules[kind as keyof typeof modules]!,
    bias,
    ...axes,
    ...(rows[kind] && { fused: rows[kind] }),
    ...(draws && { draw: kind === 'o' || kind === 'fc2' ? draws.giving : draws.others }),
  });
  const normOf = (kind: ModuleKind, axes: Pick<LayerModule, 'out'> = {}): LayerModule => ({
    name: modules[kind as keyof typeof modules]!,
    bias: normBias,
    plus: norm.plus,
    ...axes,
  });
  const rotates = names.positions === undefined;
  const [queries, keys] = rotates
    ? ([{ out: { role: 'query', spread } }, { out: { role: 'key', spread } }] as const)
    : [{}, {}];
  const all = normsHeads === 'all';
  const gives = normPlacement === 'sandwich' || normPlacement === 'output';
  const reads = normPlacement !== 'output';
  return {
    q: linear('q', queriesKeysValues, queries),
    k: linear('k', queriesKeysValues, keys),
    v: linear('v', queriesKeysValues),
    ...(normsHeads && {
      qNorm: normOf('qNorm', all ? queries : {}),
      kNorm: normOf('kNorm', all ? keys : {}),
    }),
    o: linear('o', attentionOutput, { in: mixedValues(dimensions) }),
    ...(reads && { ln1: normOf('ln1') }),
    ...(gives && { ln1Out: normOf('ln1Out') }),
    ...(gated && { gate: linear('gate', feedForward) }),
    fc1: linear('fc1', feedForward),
    fc2: linear('fc2', feedForward),
    ...(reads && { ln2: normOf('ln2') }),
    ...(gives && { ln2Out: normOf('ln2Out') }),
  };
}

export function declareParameters(
  { names = llamaNames, norm = usualNorm, wordProjections, wordNorm }: Decoder,
  sizes: SpaceSizes,
  { prefix, head, task }: Variant,
  { numHiddenLayers }: Dimensions,
  {
    modules,
    padding,
    finalNorm,
    normBias,
    draws,
    masked,
  }: {
    readonly modules: LayerModules;
    readonly padding: number | undefined;
    readonly finalNorm: boolean;
    readonly normBias: boolean;
    readonly draws: Draws | undefined;
    /** Of the masked language model's head, in the order of the file. */
    readonly masked: readonly Parameter[];
  },
): Parameter[] {
  const firstModules: LayerModules = Object.fromEntries(
    Object.entries(modules).filter(([kind]) => kind !== 'ln1'),
  );
  const words = prefix + names.words;
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) =>
    declareLayer(
      sizes,
      { layer, prefix: `${prefix}${names.layers ?? usualLayers}${layer}.` },
      layer === 0 && wordNorm !== undefined ? firstModules : modules,
    ),
  );
  const word = embeddingSpace(sizes);
  const axes = [space('vocabulary'), word];
  const projections = sizes.has('embedding') ? wordProjections : undefined;
  return [
    declareParameter(sizes, {
      id: 'embeddings.word.weight',
      tensor: words,
      module: 'table',
      stage: 'embedding',
      draw: {
        ...draws?.others,
        ...withZeroRow(padding, sizes.get('vocabulary')!),
      },
      spaces: axes,
      ...(head === 'tied' && { readAs: [words, names.output] }),
    }),
    ...(names.positions === undefined
      ? []
      : [
          declareParameter(sizes, {
            id: 'embeddings.position.weight',
            module: 'table',
            stage: 'embedding',
            tensor: prefix + names.positions,
            spaces: [space('position'), space('residual')],
          }),
        ]),
    ...(projections
      ? declareModule(
          sizes,
          { id: wordsIn, stage: 'embedding', out: space('residual'), in: word },
          { name: prefix + projections.in, bias: false },
        )
      : []),
    ...(wordNorm === undefined
      ? []
      : declareModule(
          sizes,
          { id: 'embeddings.norm', stage: 'embedding', out: space('residual') },
          { name: prefix + wordNorm, bias: normBias },
        )),
    ...layers.flat(),
    ...(finalNorm
      ? declareModule(
          sizes,
          { id: 'final.norm', stage: 'final', out: space('residual') },
          { name: prefix + names.finalNorm, bias: normBias, plus: norm.plus },
        )
      : []),
    ...(projections
      ? declareModule(
          sizes,
          { id: wordsOut, stage: 'head', out: word, in: space('residual') },
          { name: prefix + projections.out, bias: false },
        )
      : []),
    ...masked,
    ...(head === 'untied'
      ? [
          declareParameter(sizes, {
            id: 'head.decoder.weight',
            module: 'linear',
            stage: 'head',
            tensor: names.output,
            draw: draws?.giving,
            spaces: sizes.has('head') ? [space('vocabulary'), space('head')] : axes,
          }),
        ]
      : []),
    ...(task ? taskParameters(sizes, task) : []),
  ];
}

/** What stands between the last norm and the words of a masked language model. */
export function maskedParameters(
  { maskedHead }: Decoder,
  sizes: SpaceSizes,
  config: ModelConfig,
  { normBias, draws }: { readonly normBias: boolean; readonly draws: Draws | undefined },
): Parameter[] {
  if (!maskedHead) return [];
  const { denseBias, scoreBias } = maskedHead.settings(config);
  const width = space(sizes.has('head') ? 'head' : 'residual');
  const draw = draws?.giving;
  return [
    ...declareModule(
      sizes,
      { id: 'head.transform', stage: 'head', out: width, in: space('residual'), draw },
      { name: maskedHead.dense, bias: denseBias },
    ),
    ...declareModule(
      sizes,
      { id: 'head.norm', stage: 'head', out: width },
      { name: maskedHead.norm, bias: normBias },
    ),
    ...(scoreBias
      ? [
          declareParameter(sizes, {
            id: 'head.decoder.bias',
            module: 'linear',
            stage: 'head',
            tensor: maskedHead.bias,
            spaces: [space('vocabulary')],
          }),
        ]
      : []),
  ];
}

/** Ids of what makes hidden units of a word, and a word of hidden units. */
export const [wordsIn, wordsOut] = ['embeddings.projection', 'head.projection'];

/** Sizes of the spaces: of queries and keys in heads where these are rotated, of values in units. */
export function spaceSizesOf(
  dimensions: Dimensions,
  { vocabularySize, classes, tableOfPositions, wordSize }: SpaceFacts,
): Map<SpaceRole, number> {
  const [headSize, shared] = [headSizeOf(dimensions), keyValueHeadsOf(dimensions)];
  const rotates = tableOfPositions === undefined;
  const unit = rotates ? 1 : headSize;
  return new Map<SpaceRole, number>([
    ['vocabulary', vocabularySize],
    ...(rotates ? [] : [['position', tableOfPositions] as const]),
    ...(wordSize === undefined ? [] : [['embedding', wordSize] as const]),
    ['residual', dimensions.hiddenSize],
    ['query', dimensions.numAttentionHeads * unit],
    ['key', shared * unit],
    ['value', shared * headSize],
    ...(rotates ? [['headDim', headSize] as const] : []),
    ['ffn', dimensions.intermediateSize],
    ...(classes === undefined ? [] : [['class', classes] as const]),
  ]);
}
