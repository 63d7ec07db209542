import { UnsupportedError } from '../../errors';
import { shortJson } from '../../format';
import type { Dimensions, ModelConfig } from '../architecture';
import {
  dimensionsProblem,
  flagField,
  positiveField,
  sizeField,
  sizePairField,
} from '../configFields';
import { patchGrid } from './patches';
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

/** `vit_small_patch14_reg4_dinov2.lvd142m`: what timm calls a model, and behind the dot its weights. */
const architectureName =
  /^(vit|deit|deit3)_(tiny|small|base|large)_patch(\d+)(_reg4)?_(\d+|dinov2)(\.|$)/;

/** Arguments of timm's VisionTransformer that are honoured, or that nothing is computed with. */
const knownArguments: ReadonlySet<string> = new Set([
  ...['img_size', 'patch_size', 'in_chans', 'num_classes', 'global_pool'],
  ...['embed_dim', 'depth', 'num_heads', 'mlp_ratio', 'qkv_bias', 'init_values'],
  ...['reg_tokens', 'no_embed_class', 'class_token'],
  ...['drop_rate', 'pos_drop_rate', 'patch_drop_rate', 'proj_drop_rate', 'attn_drop_rate'],
  ...['drop_path_rate', 'weight_init', 'dynamic_img_size', 'dynamic_img_pad'],
]);

const nameOf = (config: ModelConfig) => architectureName.exec(String(config['architecture']));

const object = (value: unknown): ModelConfig =>
  typeof value === 'object' && value !== null ? (value as ModelConfig) : {};

const use =
  'Use a checkpoint without it; changing only config.json would make the weights mean something else.';

/** What `timm.create_model` is called with: the name's arguments, and those of config.json over them. */
function argumentsOf(config: ModelConfig): ModelConfig {
  const [, kind, size, patch, registers, resolution] = nameOf(config)!;
  const given = object(config['model_args']);
  const unknown = Object.keys(given).find(name => !knownArguments.has(name));
  if (unknown !== undefined) {
    throw new UnsupportedError(
      `config.json gives the model the argument ${unknown} (${shortJson(given[unknown])}), which is not computed here.`,
      use,
    );
  }
  const { hidden, layers, heads } = namedSizes[size!]!;
  const isDino = resolution === 'dinov2';
  const input = object(config['pretrained_cfg'])['input_size'];
  const side = Array.isArray(input)
    ? (input as unknown[]).slice(1)
    : isDino
      ? 518
      : Number(resolution);
  return {
    img_size: side,
    patch_size: Number(patch),
    in_chans: 3,
    embed_dim: hidden,
    depth: layers,
    num_heads: heads,
    mlp_ratio: 4,
    ...(isDino && { init_values: 1e-5 }),
    ...(kind === 'deit3' && { init_values: 1e-6, no_embed_class: true }),
    ...(registers && { reg_tokens: 4, no_embed_class: true }),
    global_pool: config['global_pool'] ?? 'token',
    num_classes: config['num_classes'] ?? 1000,
    ...given,
  };
}

/** Feed-forward units as timm counts them. */
const unitsAt = (hidden: number, ratio: number): number => Math.trunc(hidden * ratio);

/** A ratio of which timm makes just these units. */
function ratioFor(hidden: number, units: number): number {
  const ratio = units / hidden;
  return unitsAt(hidden, ratio) === units ? ratio : ratio + Number.EPSILON * ratio;
}

function settings(config: ModelConfig): VisionSettings {
  const given = argumentsOf(config);
  for (const [field, usual] of [
    ['global_pool', 'token'],
    ['class_token', true],
  ] as const) {
    if ((given[field] ?? usual) === usual) continue;
    throw new UnsupportedError(
      `config.json sets ${field} to ${shortJson(given[field])}: only classifiers that read the class token are computed here.`,
      use,
    );
  }
  const hiddenSize = sizeField(given, 'embed_dim');
  const dimensions: Dimensions = {
    numHiddenLayers: sizeField(given, 'depth', { limit: 1024 }),
    hiddenSize,
    numAttentionHeads: sizeField(given, 'num_heads'),
    intermediateSize: unitsAt(hiddenSize, positiveField(given, 'mlp_ratio', 4)),
  };
  const problem = dimensionsProblem(dimensions);
  if (problem !== undefined) throw new UnsupportedError(`config.json: ${problem}.`, use);
  const count = given['reg_tokens'] ? sizeField(given, 'reg_tokens', { limit: 1024 }) : 0;
  const registers = Array.from({ length: count }, (_, index): SpecialToken => ({
    id: `embeddings.register${index}.weight`,
    tensor: 'reg_token',
    row: { index, count },
  }));
  const scale = given['init_values'];
  // Under timm's name of it, before the grid asks for ViT's.
  sizePairField(given, 'img_size', 224);
  return {
    dimensions,
    grid: patchGrid({
      image_size: given['img_size'],
      patch_size: given['patch_size'],
      num_channels: given['in_chans'],
    }),
    epsilon: 1e-6,
    activation: 'gelu',
    queryBias: flagField(given, 'qkv_bias', true),
    gated: false,
    layerScale:
      scale === undefined || scale === null ? undefined : positiveField(given, 'init_values'),
    specialTokens: [{ id: 'embeddings.cls.weight', tensor: 'cls_token' }, ...registers],
    positionsOfTokens: !flagField(given, 'no_embed_class', false),
    classes: given['num_classes'] === 0 ? 0 : sizeField(given, 'num_classes'),
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
  resized: (config, { numHiddenLayers, hiddenSize, numAttentionHeads, intermediateSize }) => ({
    ...config,
    num_features: hiddenSize,
    model_args: {
      ...object(config['model_args']),
      embed_dim: hiddenSize,
      depth: numHiddenLayers,
      num_heads: numAttentionHeads,
      mlp_ratio: ratioFor(hiddenSize, intermediateSize),
    },
  }),
  notes: () => [],
  encoderClass: 'VisionTransformer',
  classifierClasses: [
    { modelClass: 'VisionTransformer', classifiers: [{ id: 'head.classifier', name: 'head' }] },
  ],
});
