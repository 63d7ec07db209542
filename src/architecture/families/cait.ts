import { UnsupportedError } from '../../errors';
import type { ModelConfig } from '../architecture';
import { flagField, positiveField, sizeField } from '../configFields';
import { space } from '../declare';
import {
  architectureOf,
  classesOf,
  layerScaleOf,
  timmArguments,
  timmDimensions,
  timmGrid,
  timmResized,
  usualTimmFields,
  unitsAt,
  type NamedModel,
} from './timm';
import { visionFamily, type VisionNames, type VisionSettings } from './visionTransformer';

/** Width and heads by the name of a size; heads have 48 units. */
const namedSizes: Readonly<Record<string, { hidden: number; heads: number }>> = {
  xxs: { hidden: 192, heads: 4 },
  xs: { hidden: 288, heads: 6 },
  s: { hidden: 384, heads: 8 },
  m: { hidden: 768, heads: 16 },
};

/** `cait_xs24_384.fb_dist_in1k` */
const modelName = /^cait_(xxs|xs|s|m)(24|36|48)_(\d+)(\.|$)/;

const nameOf = (config: ModelConfig) => modelName.exec(architectureOf(config));

function namedModel(config: ModelConfig): NamedModel {
  const [, size, layers, side] = nameOf(config)!;
  const { hidden, heads } = namedSizes[size!]!;
  return {
    arguments: {
      patch_size: 16,
      embed_dim: hidden,
      depth: Number(layers),
      num_heads: heads,
      depth_token_only: 2,
      mlp_ratio_token_only: 4,
      init_values: layers === '24' || size === 'xxs' ? 1e-5 : 1e-6,
    },
    others: ['depth_token_only', 'mlp_ratio_token_only'],
    side: Number(side),
  };
}

function settings(config: ModelConfig): VisionSettings {
  const given = timmArguments(config, namedModel(config));
  const dimensions = timmDimensions(given);
  const layerScale = layerScaleOf(given);
  if (layerScale === undefined) {
    throw new UnsupportedError(
      'config.json sets init_values to null: CaiT has factors behind every branch.',
      'Take config.json from the same place as the weights beside it.',
    );
  }
  return {
    dimensions,
    grid: timmGrid(given),
    epsilon: 1e-6,
    activation: 'gelu',
    queryBias: flagField(given, 'qkv_bias', true),
    gated: false,
    layerScale,
    mixesHeads: true,
    classLayers: {
      count: sizeField(given, 'depth_token_only', { fallback: 2, limit: 1024 }),
      intermediateSize: unitsAt(
        dimensions.hiddenSize,
        positiveField(given, 'mlp_ratio_token_only', 4),
      ),
    },
    specialTokens: [{ id: 'embeddings.cls.weight', tensor: 'cls_token' }],
    positionsOfTokens: false,
    classes: classesOf(given),
  };
}

/** What layers of both kinds have under one name. */
const common = {
  o: { name: 'attn.proj' },
  ln1: { name: 'norm1' },
  scale1: { name: 'gamma_1', tensor: 'gamma_1' },
  ln2: { name: 'norm2' },
  scale2: { name: 'gamma_2', tensor: 'gamma_2' },
};
const attention = { name: 'attn.qkv' };
const classUnits = space('classFfn');

const names: VisionNames = {
  positions: 'pos_embed',
  patch: 'patch_embed.proj',
  layers: 'blocks.',
  modules: {
    ...common,
    q: attention,
    k: attention,
    v: attention,
    mixScores: { name: 'attn.proj_l' },
    mixWeights: { name: 'attn.proj_w' },
    fc1: { name: 'mlp.fc1' },
    fc2: { name: 'mlp.fc2' },
  },
  classLayers: 'blocks_token_only.',
  classModules: {
    ...common,
    q: { name: 'attn.q' },
    k: { name: 'attn.k' },
    v: { name: 'attn.v' },
    fc1: { name: 'mlp.fc1', out: classUnits },
    fc2: { name: 'mlp.fc2', in: classUnits },
  },
  finalNorm: 'norm',
};

/** CaiT (Touvron et al. 2021), as timm stores it: talking heads, and layers of the class token alone. */
export const cait = visionFamily({
  modelType: 'timm-cait',
  className: /(?!)/,
  prefix: 'timm.',
  signature: /(?!)/,
  claims: config => config['architectures'] === undefined && nameOf(config) !== null,
  oldNormNames: false,
  names: () => names,
  settings,
  usualFields: config =>
    nameOf(config)
      ? usualTimmFields('timm-cait', timmArguments(config, namedModel(config)))
      : config,
  resized: timmResized,
  notes: () => [],
  encoderClass: 'Cait',
  classifierClasses: [
    { modelClass: 'Cait', classifiers: [{ id: 'head.classifier', name: 'head' }] },
  ],
});
