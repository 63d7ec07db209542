import { UnsupportedError } from '../../errors';
import { add, concat, mul, reshape, slice, type Tensor } from '../../graph';
import { activation } from '../blocks/activations';
import type { Architecture, ModelConfig } from '../architecture';
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
import { plainFeedForward } from '../blocks/feedForward';
import { preNormLayer, runLayers } from '../blocks/layers';
import { layerNorm } from '../blocks/norms';
import type { Draw, Parameter, SpaceRole } from '../parameter';
import type { Readout } from '../weights';
import { commonDimensionNames, resizedFields } from './dimensionNames';
import {
  checkedTarget,
  commonRefusals,
  missingHead,
  refuseFields,
  type Family,
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
}

/** A classifier that reads one special token. */
export interface Classifier {
  /** Id without the part. */
  readonly id: string;
  /** Tensor name without the part. */
  readonly name: string;
}

/** A class of models with a head. Several classifiers read a special token each and are averaged. */
export interface ClassifierClass {
  readonly modelClass: string;
  readonly classifiers: readonly [Classifier, ...Classifier[]];
}

/** What sets ViT and DeiT apart. */
export interface VisionFamily {
  readonly modelType: string;
  readonly className: RegExp;
  readonly prefix: string;
  readonly signature: RegExp;
  readonly specialTokens: readonly SpecialToken[];
  /** How these and the positions are drawn, where not as all others. */
  readonly tokensDrawn?: Draw;
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
  const { modelType, className, prefix, signature } = description;
  return {
    modelType,
    className,
    prefix,
    signature,
    layerNumber: /^encoder\.layer\.(\d+)\./,
    twins: () => [],
    build(config, file) {
      refuseFields(config, commonRefusals);
      refuseMaskedImages(config, file);
      const variant = variantOf(description, config, file);
      const named = withClass(config, variant.head?.modelClass ?? description.encoderClass);
      return {
        architecture: buildModel(description, named.config, variant),
        notes: [...named.notes, ...notesOnUnread(config, unreadFields(config))],
      };
    },
    explain(name) {
      return /(^|\.)pooler\.dense\.(weight|bias)$/.test(name)
        ? 'a pooler of another width than hidden_size lies in no space that grows'
        : undefined;
    },
  };
}

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

const modules = {
  q: { name: 'attention.attention.query' },
  k: { name: 'attention.attention.key' },
  v: { name: 'attention.attention.value' },
  o: { name: 'attention.output.dense' },
  ln1: { name: 'layernorm_before' },
  fc1: { name: 'intermediate.dense' },
  fc2: { name: 'output.dense' },
  ln2: { name: 'layernorm_after' },
} as const satisfies LayerModules;

const withoutQueryBias: LayerModules = {
  ...modules,
  q: { ...modules.q, bias: false },
  k: { ...modules.k, bias: false },
  v: { ...modules.v, bias: false },
};

function declareParameters(
  sizes: SpaceSizes,
  { specialTokens, tokensDrawn }: VisionFamily,
  { prefix, head, pooler, maskToken: hasMaskToken }: Variant,
  grid: PatchGrid,
  { numHiddenLayers, queryBias }: { numHiddenLayers: number; queryBias: boolean },
): Parameter[] {
  const residual = space('residual');
  const width = sizes.get('residual')!;
  const patchName = `${prefix}embeddings.patch_embeddings.projection`;
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) =>
    declareLayer(
      sizes,
      { layer, prefix: `${prefix}encoder.layer.${layer}.` },
      queryBias ? modules : withoutQueryBias,
    ),
  );
  return [
    ...specialTokens.map(({ id, tensor }) =>
      declareParameter(sizes, {
        id,
        module: 'token',
        stage: 'embedding',
        draw: tokensDrawn,
        tensor: `${prefix}${tensor}`,
        spaces: [residual],
        storedShape: [1, 1, width],
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
            storedShape: [1, 1, width],
            used: false,
          }),
        ]
      : []),
    declareParameter(sizes, {
      id: 'embeddings.position.weight',
      module: 'table',
      stage: 'embedding',
      draw: tokensDrawn,
      tensor: `${prefix}embeddings.position_embeddings`,
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
    ...declareModule(
      sizes,
      { id: 'final.norm', stage: 'final', out: residual },
      { name: `${prefix}layernorm` },
    ),
    ...(pooler
      ? declareModule(
          sizes,
          { id: 'pooler', stage: 'head', out: residual, in: residual, used: false },
          { name: `${prefix}pooler.dense` },
        )
      : []),
    ...(head?.classifiers ?? []).flatMap(({ id, name }) =>
      declareModule(sizes, { id, stage: 'head', out: space('class'), in: residual }, { name }),
    ),
  ];
}

/** The mean of several readouts of the same rows as one: features and tables side by side. */
function averageReadout(readouts: readonly [Readout, ...Readout[]]): Readout {
  const [first, ...others] = readouts;
  if (others.length === 0) return first;
  const share = 1 / readouts.length;
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
  const { specialTokens, encoderClass, classifierClasses } = description;
  const dimensions = dimensionFields(config, commonDimensionNames);
  const { hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads } = dimensions;
  const grid = patchGrid(config);
  const norm = layerNorm(epsilonField(config, 'layer_norm_eps', 1e-12));
  const feedForward = plainFeedForward(activation(textField(config, 'hidden_act', 'gelu')));
  const { head } = variant;
  const classes = head ? classCount(config) : 0;
  const sequenceLength = specialTokens.length + grid.rows * grid.columns;
  const spaceSizes = new Map<SpaceRole, number>([
    ['position', sequenceLength],
    ['pixel', grid.channels * grid.patchHeight * grid.patchWidth],
    ['residual', hiddenSize],
    ['query', hiddenSize],
    ['key', hiddenSize],
    ['value', hiddenSize],
    ['ffn', intermediateSize],
  ]);
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
    },
    leadingTokens: specialTokens.length,
    dimensions,
    normPlacement: 'pre',
    normKind: 'LayerNorm',
    initializerRange: initializerRange(config),
    spaceSizes,
    head: head ? 'untied' : 'none',
    parameters: declareParameters(spaceSizes, description, variant, grid, {
      numHiddenLayers,
      queryBias: flagField(config, 'qkv_bias', true),
    }),
    forward(weights, inputs) {
      if (!head) throw missingHead(encoderClass, classifierClasses[0].modelClass);
      const { batchSize } = inputs;
      const ids = specialTokens.map(({ id }) => id);
      const hiddenStates = runLayers(
        preNormLayer,
        weights,
        patchEmbedding(weights, inputs, grid, ids),
        {
          batchSize,
          sequenceLength,
          numHiddenLayers,
          numAttentionHeads,
          norm,
          feedForward,
          ...(inputs.partial && { partial: inputs.partial }),
        },
      );
      const last = reshape(hiddenStates.at(-1)!, [batchSize, sequenceLength, hiddenSize]);
      const readToken = ({ id }: Classifier, token: number): Readout => {
        const rows: Tensor = reshape(slice(last, 1, token, token + 1), [batchSize, hiddenSize]);
        const features = norm(weights, 'final.norm', rows);
        return weights.readout(features, `${id}.weight`, `${id}.bias`);
      };
      const [first, ...others] = head.classifiers;
      return {
        hiddenStates,
        readout: () =>
          averageReadout([
            readToken(first, 0),
            ...others.map((classifier, index) => readToken(classifier, index + 1)),
          ]),
      };
    },
    resized(target) {
      const resized = resizedFields(config, commonDimensionNames, checkedTarget(target));
      const pooler =
        typeof config['pooler_output_size'] === 'number' && followsHiddenSize(config)
          ? { pooler_output_size: target.hiddenSize }
          : {};
      return buildModel(description, { ...resized, ...pooler }, variant);
    },
  };
}
