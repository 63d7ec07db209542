import { UnsupportedError, type Note } from '../../errors';
import { add, concat, mul, reduceMean, reshape, slice, type Tensor } from '../../graph';
import { activation } from '../blocks/activations';
import type { Architecture, Dimensions, ModelConfig } from '../architecture';
import {
  classCount,
  classNames,
  dimensionFields,
  epsilonField,
  flagField,
  initializerRange,
  textField,
} from '../configFields';
import {
  declareLayer,
  declareModule,
  declareParameter,
  space,
  type LayerModules,
  type SpaceSizes,
} from '../declare';
import { runClassLayers } from '../blocks/classLayers';
import { gatedFeedForward, plainFeedForward } from '../blocks/feedForward';
import { preNormLayer, runLayers, scaledLayer } from '../blocks/layers';
import { layerNorm } from '../blocks/norms';
import type { Draw, Parameter, SpaceRole } from '../parameter';
import type { Readout } from '../weights';
import { commonDimensionNames, resizedFields } from './dimensionNames';
import {
  checkedTarget,
  commonRefusals,
  layerNumberBehind,
  missingHead,
  refuseFields,
  type Family,
  type Refusal,
  type StoredNames,
} from './family';
import { unreadFields } from './encoder';
import { notesOnUnread } from './fieldNames';
import { withClass } from './taskHeads';
import { patchEmbedding, patchGrid, type PatchGrid } from './patches';

/** A token that stands before the patches. */
export interface SpecialToken {
  readonly id: string;
  /** Tensor name on disk, without prefix. */
  readonly tensor: string;
  /** Where several share a tensor: which of how many. */
  readonly row?: { readonly index: number; readonly count: number };
}

/** A classifier that reads one special token, by its place, or the mean of all patches. */
export interface Classifier {
  /** Id without the part. */
  readonly id: string;
  /** Tensor name without the part. */
  readonly name: string;
  /** Default the token at the classifier's own place in the list. */
  readonly reads?: 'patches';
}

/** A class of models with a head. */
export interface ClassifierClass {
  readonly modelClass: string;
  readonly classifiers: readonly [Classifier, ...Classifier[]];
  /**
   * Whether the scores of several are averaged, each a module of its own (the default), or added, as one
   * module that reads all they read side by side.
   */
  readonly combine?: 'mean' | 'sum';
}

/** Where the parts of a vision transformer lie in a file, behind its prefix. */
export interface VisionNames {
  readonly positions: string;
  readonly patch: string;
  /** Before the number of a layer. */
  readonly layers: string;
  readonly modules: LayerModules;
  /** The same of layers that only the class token passes through, where a family has some. */
  readonly classLayers?: string;
  readonly classModules?: LayerModules;
  readonly finalNorm: string;
}

/** ViT's. */
export const vitNames: VisionNames = {
  positions: 'embeddings.position_embeddings',
  patch: 'embeddings.patch_embeddings.projection',
  layers: 'encoder.layer.',
  modules: {
    q: { name: 'attention.attention.query' },
    k: { name: 'attention.attention.key' },
    v: { name: 'attention.attention.value' },
    o: { name: 'attention.output.dense' },
    ln1: { name: 'layernorm_before' },
    fc1: { name: 'intermediate.dense' },
    fc2: { name: 'output.dense' },
    ln2: { name: 'layernorm_after' },
  },
  finalNorm: 'layernorm',
};

/** What a config.json says of a vision transformer. */
export interface VisionSettings {
  readonly dimensions: Dimensions;
  readonly grid: PatchGrid;
  /** Of LayerNorm. */
  readonly epsilon: number;
  readonly activation: string;
  /** Whether queries, keys and values have biases. */
  readonly queryBias: boolean;
  /** Whether a gate multiplies what enters the feed-forward space. */
  readonly gated: boolean;
  /** What factors of branches start at; undefined where branches have none. */
  readonly layerScale: number | undefined;
  /** Whether heads talk to each other. Default false. */
  readonly mixesHeads?: boolean;
  /** Layers behind the others that only the one special token passes through, which enters there. */
  readonly classLayers?: { readonly count: number; readonly intermediateSize: number };
  readonly specialTokens: readonly SpecialToken[];
  /** Whether special tokens have positions too. */
  readonly positionsOfTokens: boolean;
  /** 0 where there is no classifier. */
  readonly classes: number;
}

/** ViT's settings, and those of the families that have its names of fields. */
export const vitSettings =
  (specialTokens: readonly SpecialToken[], { epsilon = 1e-12 } = {}) =>
  (config: ModelConfig): VisionSettings => ({
    dimensions: dimensionFields(config, commonDimensionNames),
    grid: patchGrid(config),
    epsilon: epsilonField(config, 'layer_norm_eps', epsilon),
    activation: textField(config, 'hidden_act', 'gelu'),
    queryBias: flagField(config, 'qkv_bias', true),
    gated: false,
    layerScale: undefined,
    specialTokens,
    positionsOfTokens: true,
    classes: classCount(config),
  });

/** What sets one family of vision transformers apart from another. */
export interface VisionFamily {
  readonly modelType: string;
  readonly className: RegExp;
  readonly prefix: string;
  readonly signature: RegExp;
  /** Whether a config.json without `model_type` is this family's. Default never. */
  readonly claims?: Family['claims'];
  /** Whether files may call parts of norms as old ones do. Default true. */
  readonly oldNormNames?: boolean;
  /** Default ViT's. */
  readonly names?: (config: ModelConfig) => VisionNames;
  readonly settings: (config: ModelConfig) => VisionSettings;
  /** config.json at other sizes. Default under ViT's names. */
  readonly resized?: (config: ModelConfig, target: Dimensions) => ModelConfig;
  /** A config.json under the names that most families have. Default itself. */
  readonly usualFields?: (config: ModelConfig) => ModelConfig;
  /** What a person should know of config.json. Default about fields that other families read. */
  readonly notes?: (config: ModelConfig) => readonly Note[];
  /** How tokens and positions are drawn, where not as all others. */
  readonly tokensDrawn?: Draw;
  /** The shape of a mask token on disk before its width. Default [1, 1]. */
  readonly maskShape?: readonly number[];
  /** Class without a head. */
  readonly encoderClass: string;
  /** Classes with a head, the usual one first. */
  readonly classifierClasses: readonly [ClassifierClass, ...ClassifierClass[]];
}

/** What the file decides and a resized model keeps. */
interface Variant {
  readonly prefix: string;
  /** Undefined: no head. */
  readonly head: ClassifierClass | undefined;
  readonly pooler: boolean;
  /** A token that only masked image modelling reads: grown along, never computed. */
  readonly maskToken: boolean;
}

/** The family of vision transformers that `description` describes. */
export function visionFamily(description: VisionFamily): Family {
  const { modelType, className, prefix, signature, claims, oldNormNames } = description;
  const { layers } = description.names?.({}) ?? vitNames;
  return {
    modelType,
    className,
    prefix,
    signature,
    ...(claims && { claims }),
    ...(oldNormNames !== undefined && { oldNormNames }),
    layerNumber: layerNumberBehind(layers),
    twins: () => [],
    build(config, file) {
      refuseFields(config, [...commonRefusals, oneLabelEach]);
      refuseMaskedImages(config, file);
      const variant = variantOf(description, config, file);
      const named = withClass(config, variant.head?.modelClass ?? description.encoderClass);
      return {
        architecture: buildModel(description, named.config, variant),
        notes: [
          ...named.notes,
          ...(description.notes?.(config) ?? notesOnUnread(config, unreadFields(config))),
        ],
      };
    },
    explain(name) {
      return /(^|\.)pooler\.dense\.(weight|bias)$/.test(name)
        ? 'a pooler of another width than hidden_size lies in no space that grows'
        : undefined;
    },
  };
}

/** transformers learns several labels an image, or numbers, where `problem_type` says so. */
const oneLabelEach: Refusal = {
  field: 'problem_type',
  refused: value => value !== 'single_label_classification',
  because: 'images are learned with one label each',
};

function refuseMaskedImages(config: ModelConfig, file: StoredNames): void {
  const masked = classNames(config).some(name => name.endsWith('ForMaskedImageModeling'));
  if (!masked && !file.hasUnder('decoder.')) return;
  throw new UnsupportedError(
    'This checkpoint reconstructs masked images; that objective is not supported.',
    'Use a checkpoint for image classification, or save the encoder with a classifier.',
  );
}

const followsHiddenSize = (config: ModelConfig): boolean =>
  (config['pooler_output_size'] ?? config['hidden_size']) === config['hidden_size'];

function variantOf(
  { classifierClasses }: VisionFamily,
  config: ModelConfig,
  file: StoredNames,
): Variant {
  const classes = classNames(config);
  const inFile = ({ classifiers }: ClassifierClass): boolean =>
    file.has(`${classifiers[0].name}.weight`);
  return {
    prefix: file.prefix,
    head:
      classifierClasses.find(inFile) ??
      classifierClasses.find(({ modelClass }) => classes.includes(modelClass)),
    pooler: file.has(`${file.prefix}pooler.dense.weight`) && followsHiddenSize(config),
    maskToken: file.has(`${file.prefix}${maskToken}`),
  };
}

const maskToken = 'embeddings.mask_token';

/** The modules of a layer, of those that a family has names for. */
function layerModules(
  modules: LayerModules,
  { queryBias, gated, layerScale }: VisionSettings,
): LayerModules {
  const { gate, scale1, scale2, ...always } = modules;
  const bias = { bias: queryBias };
  const draw: Draw = { kind: 'constant', value: layerScale ?? 1 };
  return {
    ...always,
    q: { ...modules.q!, ...bias },
    k: { ...modules.k!, ...bias },
    v: { ...modules.v!, ...bias },
    ...(gated && gate && { gate }),
    ...(layerScale !== undefined && {
      scale1: { ...scale1!, bias: false, draw },
      scale2: { ...scale2!, bias: false, draw },
    }),
  };
}

/** The modules of a head. */
function headParameters(sizes: SpaceSizes, head: ClassifierClass | undefined): Parameter[] {
  if (!head) return [];
  const { classifiers, combine = 'mean' } = head;
  const width = sizes.get('residual')!;
  const axes = [space('class'), space('residual')] as const;
  return classifiers.flatMap(({ id, name }, index) => {
    if (combine === 'mean' || classifiers.length === 1) {
      return declareModule(sizes, { id, stage: 'head', out: axes[0], in: axes[1] }, { name });
    }
    const total = classifiers.length * width;
    const weight = declareParameter(sizes, {
      id: `${id}.weight`,
      module: 'linear',
      stage: 'head',
      tensor: `${name}.weight`,
      spaces: axes,
      storedShape: [sizes.get('class')!, total],
      columns: { offset: index * width, total },
    });
    const bias = declareParameter(sizes, {
      id: `${id}.bias`,
      module: 'linear',
      stage: 'head',
      tensor: `${name}.bias`,
      spaces: [axes[0]],
    });
    return index === 0 ? [weight, bias] : [weight];
  });
}

function declareParameters(
  sizes: SpaceSizes,
  { tokensDrawn, maskShape = [1, 1] }: VisionFamily,
  names: VisionNames,
  { prefix, head, pooler, maskToken: hasMaskToken }: Variant,
  settings: VisionSettings,
): Parameter[] {
  const { specialTokens, grid } = settings;
  const { numHiddenLayers } = settings.dimensions;
  const residual = space('residual');
  const width = sizes.get('residual')!;
  const patchName = `${prefix}${names.patch}`;
  const modules = layerModules(names.modules, settings);
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) =>
    declareLayer(sizes, { layer, prefix: `${prefix}${names.layers}${layer}.` }, modules),
  );
  const classLayers = Array.from({ length: settings.classLayers?.count ?? 0 }, (_, classLayer) => {
    const place = { classLayer, prefix: `${prefix}${names.classLayers!}${classLayer}.` };
    return declareLayer(sizes, place, layerModules(names.classModules!, settings));
  });
  return [
    ...specialTokens.map(({ id, tensor, row = { index: 0, count: 1 } }) =>
      declareParameter(sizes, {
        id,
        module: 'token',
        stage: 'embedding',
        draw: tokensDrawn,
        tensor: `${prefix}${tensor}`,
        spaces: [residual],
        storedShape: [1, row.count, width],
        offset: row.index * width,
      }),
    ),
    ...(hasMaskToken
      ? [
          declareParameter(sizes, {
            id: 'embeddings.mask.weight',
            module: 'token',
            stage: 'embedding',
            draw: { kind: 'zeros' },
            tensor: `${prefix}${maskToken}`,
            spaces: [residual],
            storedShape: [...maskShape, width],
            used: false,
          }),
        ]
      : []),
    declareParameter(sizes, {
      id: 'embeddings.position.weight',
      module: 'table',
      stage: 'embedding',
      draw: tokensDrawn,
      tensor: `${prefix}${names.positions}`,
      spaces: [space('position'), residual],
      storedShape: [1, sizes.get('position')!, width],
    }),
    declareParameter(sizes, {
      id: 'embeddings.patch.weight',
      module: 'linear',
      stage: 'embedding',
      tensor: `${patchName}.weight`,
      spaces: [residual, space('pixel')],
      storedShape: [width, grid.channels, grid.patchHeight, grid.patchWidth],
    }),
    declareParameter(sizes, {
      id: 'embeddings.patch.bias',
      module: 'linear',
      stage: 'embedding',
      tensor: `${patchName}.bias`,
      spaces: [residual],
    }),
    ...layers.flat(),
    ...classLayers.flat(),
    ...declareModule(
      sizes,
      { id: 'final.norm', stage: 'final', out: residual },
      { name: `${prefix}${names.finalNorm}` },
    ),
    ...(pooler
      ? declareModule(
          sizes,
          { id: 'pooler', stage: 'head', out: residual, in: residual, used: false },
          { name: `${prefix}pooler.dense` },
        )
      : []),
    ...headParameters(sizes, head),
  ];
}

/** The mean or the sum of several readouts of the same rows as one: features and tables side by side. */
function combined(
  readouts: readonly [Readout, ...Readout[]],
  combine: NonNullable<ClassifierClass['combine']>,
): Readout {
  const [first, ...others] = readouts;
  if (others.length === 0) return first;
  const share = combine === 'mean' ? 1 / readouts.length : 1;
  const biases = readouts.flatMap(({ bias }) => (bias ? [bias] : []));
  const [firstBias, ...otherBiases] = biases;
  return {
    features: mul(
      concat(
        readouts.map(({ features }) => features),
        1,
      ),
      share,
    ),
    table: concat(
      readouts.map(({ table }) => table),
      1,
    ),
    bias:
      firstBias &&
      mul(
        otherBiases.reduce((sum, bias) => add(sum, bias), firstBias),
        share,
      ),
  };
}

function buildModel(
  description: VisionFamily,
  config: ModelConfig,
  variant: Variant,
): Architecture {
  const { encoderClass, classifierClasses } = description;
  const names = description.names?.(config) ?? vitNames;
  const settings = description.settings(config);
  const { dimensions, grid, specialTokens, positionsOfTokens, mixesHeads, classLayers } = settings;
  const { hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads } = dimensions;
  const norm = layerNorm(settings.epsilon);
  const named = activation(settings.activation);
  const feedForward = settings.gated ? gatedFeedForward(named) : plainFeedForward(named);
  const layer = settings.layerScale === undefined ? preNormLayer : scaledLayer;
  const { head } = variant;
  const classes = head ? settings.classes : 0;
  const patches = grid.rows * grid.columns;
  // A class token with layers of its own stands in no sequence.
  const tokens = classLayers ? [] : specialTokens.map(({ id }) => id);
  const sequenceLength = tokens.length + patches;
  const spaceSizes = new Map<SpaceRole, number>([
    ['position', positionsOfTokens ? sequenceLength : patches],
    ['pixel', grid.channels * grid.patchHeight * grid.patchWidth],
    ['residual', hiddenSize],
    ['query', hiddenSize],
    ['key', hiddenSize],
    ['value', hiddenSize],
    ['ffn', intermediateSize],
  ]);
  if (mixesHeads) spaceSizes.set('attentionHead', numAttentionHeads);
  if (classLayers) spaceSizes.set('classFfn', classLayers.intermediateSize);
  if (head) spaceSizes.set('class', classes);

  return {
    family: description.modelType,
    modelClass: head?.modelClass ?? encoderClass,
    objective: 'image-classification',
    config,
    accepts: {
      kind: 'images',
      channels: grid.channels,
      height: grid.imageHeight,
      width: grid.imageWidth,
      classes,
      sequenceLength,
    },
    leadingTokens: tokens.length,
    dimensions,
    normPlacement: 'pre',
    normKind: 'LayerNorm',
    initializerRange: initializerRange(config),
    spaceSizes,
    head: head ? 'untied' : 'none',
    parameters: declareParameters(spaceSizes, description, names, variant, settings),
    ...(description.usualFields && { usualFields: description.usualFields }),
    forward(weights, inputs) {
      if (!head) throw missingHead(encoderClass, classifierClasses[0].modelClass);
      const { batchSize } = inputs;
      const sizes = { batchSize, sequenceLength, numAttentionHeads, norm, feedForward };
      const hiddenStates = runLayers(
        layer,
        weights,
        patchEmbedding(weights, inputs, grid, { tokens, positionsOfTokens }),
        {
          ...sizes,
          numHiddenLayers,
          ...(mixesHeads !== undefined && { mixesHeads }),
          ...(inputs.partial && { partial: inputs.partial }),
        },
      );
      const classStates = classLayers
        ? runClassLayers(weights, hiddenStates.at(-1)!, specialTokens[0]!.id, {
            ...sizes,
            count: classLayers.count,
          })
        : [];
      const last = classLayers
        ? reshape(classStates.at(-1)!, [batchSize, 1, hiddenSize])
        : reshape(hiddenStates.at(-1)!, [batchSize, sequenceLength, hiddenSize]);
      const { classifiers, combine = 'mean' } = head;
      const featuresOf = ({ reads }: Classifier, token: number): Tensor => {
        if (reads === undefined) {
          const rows = reshape(slice(last, 1, token, token + 1), [batchSize, hiddenSize]);
          return norm(weights, 'final.norm', rows);
        }
        const ofPatches = slice(last, 1, specialTokens.length, sequenceLength);
        const rows = reshape(ofPatches, [batchSize * patches, hiddenSize]);
        const normalised = norm(weights, 'final.norm', rows);
        return reduceMean(reshape(normalised, [batchSize, patches, hiddenSize]), [1]);
      };
      const read = (classifier: Classifier, index: number): Readout => {
        const { id } = classifier;
        const bias = combine === 'mean' || index === 0 ? `${id}.bias` : undefined;
        return weights.readout(featuresOf(classifier, index), `${id}.weight`, bias);
      };
      const [first, ...others] = classifiers;
      return {
        hiddenStates,
        ...(classLayers && { classStates }),
        readout: () =>
          combined(
            [read(first, 0), ...others.map((classifier, index) => read(classifier, index + 1))],
            combine,
          ),
      };
    },
    resized(target) {
      if (description.resized) {
        return buildModel(description, description.resized(config, checkedTarget(target)), variant);
      }
      const resized = resizedFields(config, commonDimensionNames, checkedTarget(target));
      const pooler =
        typeof config['pooler_output_size'] === 'number' && followsHiddenSize(config)
          ? { pooler_output_size: target.hiddenSize }
          : {};
      return buildModel(description, { ...resized, ...pooler }, variant);
    },
  };
}
