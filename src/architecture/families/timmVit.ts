import type { ModelConfig } from '../architecture';
import { flagField, sizeField } from '../configFields';
import {
  architectureOf,
  classesOf,
  layerScaleOf,
  timmArguments,
  timmDimensions,
  timmGrid,
  timmResized,
  usualTimmFields,
  type NamedModel,
} from './timm';
import {
  visionFamily,
  type SpecialToken,
  type VisionNames,
  type VisionSettings,
} from './visionTransformer';

/** Width and heads by the name of a size; all have twelve layers but the large one. */
const namedSizes: Readonly<Record<string, { hidden: number; layers: number; heads: number }>> = {
  tiny: { hidden: 192, layers: 12, heads: 3 },
  small: { hidden: 384, layers: 12, heads: 6 },
  base: { hidden: 768, layers: 12, heads: 12 },
  large: { hidden: 1024, layers: 24, heads: 16 },
};

/** `vit_small_patch14_reg4_dinov2.lvd142m` */
const modelName = /^(vit|deit|deit3)_(tiny|small|base|large)_patch(\d+)(_reg4)?_(\d+|dinov2)(\.|$)/;

const nameOf = (config: ModelConfig) => modelName.exec(architectureOf(config));

/** Arguments of timm's VisionTransformer. */
const others: readonly string[] = [
  ...['reg_tokens', 'no_embed_class', 'class_token', 'patch_drop_rate'],
  ...['weight_init', 'dynamic_img_size', 'dynamic_img_pad'],
];

function namedModel(config: ModelConfig): NamedModel {
  const [, kind, size, patch, registers, resolution] = nameOf(config)!;
  const { hidden, layers, heads } = namedSizes[size!]!;
  const isDino = resolution === 'dinov2';
  return {
    arguments: {
      patch_size: Number(patch),
      embed_dim: hidden,
      depth: layers,
      num_heads: heads,
      reg_tokens: 0,
      no_embed_class: false,
      ...(isDino && { init_values: 1e-5 }),
      ...(kind === 'deit3' && { init_values: 1e-6, no_embed_class: true }),
      ...(registers && { reg_tokens: 4, no_embed_class: true }),
    },
    others,
    side: isDino ? 518 : Number(resolution),
  };
}

function settings(config: ModelConfig): VisionSettings {
  const given = timmArguments(config, namedModel(config));
  const count = given['reg_tokens'] ? sizeField(given, 'reg_tokens', { limit: 1024 }) : 0;
  const registers = Array.from({ length: count }, (_, index): SpecialToken => ({
    id: `embeddings.register${index}.weight`,
    tensor: 'reg_token',
    row: { index, count },
  }));
  return {
    dimensions: timmDimensions(given),
    grid: timmGrid(given),
    epsilon: 1e-6,
    activation: 'gelu',
    queryBias: flagField(given, 'qkv_bias', true),
    gated: false,
    layerScale: layerScaleOf(given),
    specialTokens: [{ id: 'embeddings.cls.weight', tensor: 'cls_token' }, ...registers],
    positionsOfTokens: !flagField(given, 'no_embed_class', false),
    classes: classesOf(given),
  };
}

const attention = { name: 'attn.qkv' };

const names: VisionNames = {
  positions: 'pos_embed',
  patch: 'patch_embed.proj',
  layers: 'blocks.',
  modules: {
    q: attention,
    k: attention,
    v: attention,
    o: { name: 'attn.proj' },
    ln1: { name: 'norm1' },
    scale1: { name: 'ls1', tensor: 'ls1.gamma' },
    fc1: { name: 'mlp.fc1' },
    fc2: { name: 'mlp.fc2' },
    ln2: { name: 'norm2' },
    scale2: { name: 'ls2', tensor: 'ls2.gamma' },
  },
  finalNorm: 'norm',
};

/** ViT, DeiT, DeiT III and DINOv2 as timm stores them, with and without registers. */
export const timmVit = visionFamily({
  modelType: 'timm-vit',
  className: /(?!)/,
  prefix: 'timm.',
  signature: /(?!)/,
  claims: config => config['architectures'] === undefined && nameOf(config) !== null,
  oldNormNames: false,
  names: () => names,
  settings,
  usualFields: config =>
    nameOf(config)
      ? usualTimmFields('timm-vit', timmArguments(config, namedModel(config)))
      : config,
  resized: timmResized,
  notes: () => [],
  encoderClass: 'VisionTransformer',
  classifierClasses: [
    { modelClass: 'VisionTransformer', classifiers: [{ id: 'head.classifier', name: 'head' }] },
  ],
});
