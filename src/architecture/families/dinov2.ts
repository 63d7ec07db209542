import { UnsupportedError } from '../../errors';
import type { Dimensions, ModelConfig } from '../architecture';
import { flagField, positiveField } from '../configFields';
import { visionFamily, vitNames, vitSettings, type VisionNames } from './visionTransformer';
import { by } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

const isGated = (config: ModelConfig): boolean => flagField(config, 'use_swiglu_ffn', false);

/** Feed-forward units: a multiple of the hidden size; of gated ones two thirds, rounded up to eights. */
function unitsAt(config: ModelConfig, hiddenSize: number, ratio: number): number {
  const units = Math.trunc(hiddenSize * ratio);
  return isGated(config) ? Math.ceil(Math.trunc((units * 2) / 3) / 8) * 8 : units;
}

const ratioOf = (config: ModelConfig): number => positiveField(config, 'mlp_ratio', 4);

/** config.json has no feed-forward size but the ratio to the hidden size, a whole number. */
function resized(config: ModelConfig, target: Dimensions): ModelConfig {
  const { hiddenSize, intermediateSize } = target;
  const largest = Math.ceil((2 * intermediateSize) / hiddenSize) + 1;
  const ratios = Array.from({ length: largest }, (_unused, index) => index + 1);
  const ratio = ratios.find(each => unitsAt(config, hiddenSize, each) === intermediateSize);
  if (ratio !== undefined) {
    return {
      ...config,
      hidden_size: hiddenSize,
      num_hidden_layers: target.numHiddenLayers,
      num_attention_heads: target.numAttentionHeads,
      mlp_ratio: ratio,
    };
  }
  const same = unitsAt(config, hiddenSize, ratioOf(config));
  throw new UnsupportedError(
    `DINOv2 with ${hiddenSize} hidden units cannot have ${intermediateSize} feed-forward units: config.json only says how many times as many there are (mlp_ratio).`,
    advise`Ask for ${same} feed-forward units${by(['ffn', same])}, or another whole multiple.`,
  );
}

/** Gated units lie in one tensor, the gate's first. */
function namesOf(config: ModelConfig): VisionNames {
  const { modules } = vitNames;
  const common = {
    ...modules,
    ln1: { name: 'norm1' },
    scale1: { name: 'layer_scale1', tensor: 'layer_scale1.lambda1' },
    ln2: { name: 'norm2' },
    scale2: { name: 'layer_scale2', tensor: 'layer_scale2.lambda1' },
  };
  if (!isGated(config)) {
    const plain = { fc1: { name: 'mlp.fc1' }, fc2: { name: 'mlp.fc2' } };
    return { ...vitNames, modules: { ...common, ...plain } };
  }
  const units = { name: 'mlp.weights_in' };
  const gated = { gate: units, fc1: units, fc2: { name: 'mlp.weights_out' } };
  return { ...vitNames, modules: { ...common, ...gated } };
}

const common = vitSettings([{ id: 'embeddings.cls.weight', tensor: 'embeddings.cls_token' }], {
  epsilon: 1e-6,
});

function settings(config: ModelConfig) {
  const hiddenSize = positiveField(config, 'hidden_size', 768);
  const units = unitsAt(config, hiddenSize, ratioOf(config));
  const found = common({ patch_size: 14, ...config, intermediate_size: units });
  const gated = isGated(config);
  return {
    ...found,
    gated,
    // Whatever hidden_act says, gated units have silu.
    ...(gated && { activation: 'silu' }),
    layerScale: positiveField(config, 'layerscale_value', 1),
  };
}

/** DINOv2: ViT with a factor for each unit of what a branch gives; the classifier also reads the patches' mean. */
export const dinov2 = visionFamily({
  modelType: 'dinov2',
  className: /^Dinov2(Model|For)/,
  prefix: 'dinov2.',
  signature: /^(dinov2\.)?encoder\.layer\.0\.layer_scale1\.lambda1$/,
  names: namesOf,
  settings,
  resized,
  maskShape: [1],
  encoderClass: 'Dinov2Model',
  classifierClasses: [
    {
      modelClass: 'Dinov2ForImageClassification',
      classifiers: [
        { id: 'head.classifier', name: 'classifier' },
        { id: 'head.patches', name: 'classifier', reads: 'patches' },
      ],
      combine: 'sum',
    },
  ],
});
