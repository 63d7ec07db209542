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
import type { Family } from './family';
import { patchGrid, type PatchGrid } from './patches';
import { visionFamily, type VisionNames, type VisionSettings } from './visionTransformer';

/** Arguments of all of timm's transformers that are honoured, or that nothing is computed with. */
const commonArguments: readonly string[] = [
  ...['img_size', 'patch_size', 'in_chans', 'num_classes', 'global_pool'],
  ...['embed_dim', 'depth', 'num_heads', 'mlp_ratio', 'qkv_bias', 'init_values'],
  ...['drop_rate', 'pos_drop_rate', 'proj_drop_rate', 'attn_drop_rate', 'drop_path_rate'],
];

const object = (value: unknown): ModelConfig =>
  typeof value === 'object' && value !== null ? (value as ModelConfig) : {};

const use =
  'Use a checkpoint without it; changing only config.json would make the weights mean something else.';

/** What `timm.create_model` is called with by the name of a model alone. */
export interface NamedModel {
  readonly arguments: ModelConfig;
  /** Arguments that its class has besides those of all. */
  readonly others: readonly string[];
  /** Of images, in pixels, where `pretrained_cfg` does not say. */
  readonly side: number;
}

/** What `timm.create_model` is called with: the name's arguments, and those of config.json over them. */
function timmArguments(
  config: ModelConfig,
  { arguments: named, others, side }: NamedModel,
): ModelConfig {
  const given = object(config['model_args']);
  const unknown = Object.keys(given).find(
    name => !commonArguments.includes(name) && !others.includes(name),
  );
  if (unknown !== undefined) {
    throw new UnsupportedError(
      `config.json gives the model the argument ${unknown} (${shortJson(given[unknown])}), which is not computed here.`,
      use,
    );
  }
  const input = object(config['pretrained_cfg'])['input_size'];
  const found: ModelConfig = {
    img_size: Array.isArray(input) ? (input as unknown[]).slice(1) : side,
    in_chans: 3,
    mlp_ratio: 4,
    qkv_bias: true,
    ...named,
    global_pool: config['global_pool'] ?? 'token',
    num_classes: config['num_classes'] ?? 1000,
    ...given,
  };
  for (const [field, usual] of [
    ['global_pool', 'token'],
    ['class_token', true],
  ] as const) {
    if ((found[field] ?? usual) === usual) continue;
    throw new UnsupportedError(
      `config.json sets ${field} to ${shortJson(found[field])}: only classifiers that read the class token are computed here.`,
      use,
    );
  }
  return found;
}

/** Feed-forward units as timm counts them. */
export const unitsAt = (hidden: number, ratio: number): number => Math.trunc(hidden * ratio);

/** A ratio of which timm makes just these units. */
function ratioFor(hidden: number, units: number): number {
  const ratio = units / hidden;
  return unitsAt(hidden, ratio) === units ? ratio : ratio + Number.EPSILON * ratio;
}

/** The sizes that arguments give. Throws UnsupportedError for those that make no transformer. */
function timmDimensions(given: ModelConfig): Dimensions {
  const hiddenSize = sizeField(given, 'embed_dim');
  const dimensions: Dimensions = {
    numHiddenLayers: sizeField(given, 'depth', { limit: 1024 }),
    hiddenSize,
    numAttentionHeads: sizeField(given, 'num_heads'),
    intermediateSize: unitsAt(hiddenSize, positiveField(given, 'mlp_ratio', 4)),
  };
  const problem = dimensionsProblem(dimensions);
  if (problem !== undefined) throw new UnsupportedError(`config.json: ${problem}.`, use);
  return dimensions;
}

/** How arguments have images cut into patches. */
function timmGrid(given: ModelConfig): PatchGrid {
  // Under timm's name of it, before the grid asks for ViT's.
  sizePairField(given, 'img_size', 224);
  return patchGrid({
    image_size: given['img_size'],
    patch_size: given['patch_size'],
    num_channels: given['in_chans'],
  });
}

/** What factors of branches start at; undefined where branches have none. */
function layerScaleOf(given: ModelConfig): number | undefined {
  const scale = given['init_values'];
  return scale === undefined || scale === null ? undefined : positiveField(given, 'init_values');
}

/** Classes of the classifier; 0 where there is none. */
const classesOf = (given: ModelConfig): number =>
  given['num_classes'] === 0 ? 0 : sizeField(given, 'num_classes');

/** What arguments say under the names that most families have, and under their own what those have no name for. */
function usualTimmFields(modelType: string, given: ModelConfig): ModelConfig {
  const { numHiddenLayers, hiddenSize, numAttentionHeads, intermediateSize } =
    timmDimensions(given);
  const { img_size: image, patch_size: patch, in_chans: channels, num_classes: classes } = given;
  const own = Object.entries(given).filter(([name]) => !renamed.has(name));
  return {
    model_type: modelType,
    num_hidden_layers: numHiddenLayers,
    hidden_size: hiddenSize,
    num_attention_heads: numAttentionHeads,
    intermediate_size: intermediateSize,
    image_size: sides(image),
    patch_size: sides(patch),
    num_channels: channels,
    num_labels: classes,
    ...Object.fromEntries(own),
  };
}

/** One number for a square. */
const sides = (size: unknown): unknown =>
  Array.isArray(size) && size.length === 2 && size[0] === size[1] ? (size[0] as unknown) : size;

const renamed: ReadonlySet<string> = new Set([
  ...['img_size', 'patch_size', 'in_chans', 'num_classes', 'embed_dim', 'depth', 'num_heads'],
  // Units are counted above, and nothing is dropped here; factors begin so in models from scratch alone.
  ...['mlp_ratio', 'drop_rate', 'pos_drop_rate', 'proj_drop_rate', 'attn_drop_rate'],
  ...['drop_path_rate', 'patch_drop_rate', 'init_values', 'weight_init'],
]);

/** config.json of a model of timm's at other sizes. */
const timmResized = (
  config: ModelConfig,
  { numHiddenLayers, hiddenSize, numAttentionHeads, intermediateSize }: Dimensions,
): ModelConfig => ({
  ...config,
  num_features: hiddenSize,
  model_args: {
    ...object(config['model_args']),
    embed_dim: hiddenSize,
    depth: numHiddenLayers,
    num_heads: numAttentionHeads,
    mlp_ratio: ratioFor(hiddenSize, intermediateSize),
  },
});

/** What arguments say alike in all of timm's transformers. */
export type CommonSettings = Omit<VisionSettings, 'specialTokens' | 'positionsOfTokens'>;

const commonSettings = (given: ModelConfig): CommonSettings => ({
  dimensions: timmDimensions(given),
  grid: timmGrid(given),
  epsilon: 1e-6,
  activation: 'gelu',
  queryBias: flagField(given, 'qkv_bias', true),
  gated: false,
  layerScale: layerScaleOf(given),
  classes: classesOf(given),
});

const attention = { name: 'attn.qkv' };

/** Where the parts lie that all of timm's transformers have. */
export const timmNames: VisionNames = {
  positions: 'pos_embed',
  patch: 'patch_embed.proj',
  layers: 'blocks.',
  modules: {
    q: attention,
    k: attention,
    v: attention,
    o: { name: 'attn.proj' },
    ln1: { name: 'norm1' },
    fc1: { name: 'mlp.fc1' },
    fc2: { name: 'mlp.fc2' },
    ln2: { name: 'norm2' },
  },
  finalNorm: 'norm',
};

/** What sets one of timm's families apart from another. */
export interface TimmFamily {
  readonly modelType: string;
  readonly modelClass: string;
  /** What timm calls its models; behind the first dot stand their weights. */
  readonly modelName: RegExp;
  /** What a name means, by what `modelName` found in it. */
  readonly named: (found: RegExpExecArray) => NamedModel;
  readonly names: VisionNames;
  /** What the arguments say besides. */
  readonly settings: (given: ModelConfig, common: CommonSettings) => VisionSettings;
}

/** A family of vision transformers as timm stores them: no `model_type`, a name and arguments. */
export function timmFamily(description: TimmFamily): Family {
  const { modelType, modelClass, modelName, named, names, settings } = description;
  const nameOf = (config: ModelConfig) => modelName.exec(String(config['architecture']));
  const argumentsOf = (config: ModelConfig): ModelConfig =>
    timmArguments(config, named(nameOf(config)!));
  return visionFamily({
    modelType,
    className: /(?!)/,
    prefix: 'timm.',
    signature: /(?!)/,
    claims: config => config['architectures'] === undefined && nameOf(config) !== null,
    oldNormNames: false,
    names: () => names,
    settings: config => {
      const given = argumentsOf(config);
      return settings(given, commonSettings(given));
    },
    usualFields: config =>
      nameOf(config) ? usualTimmFields(modelType, argumentsOf(config)) : config,
    resized: timmResized,
    notes: () => [],
    encoderClass: modelClass,
    classifierClasses: [{ modelClass, classifiers: [{ id: 'head.classifier', name: 'head' }] }],
  });
}
