import { UnsupportedError } from '../../errors';
import type { ModelConfig } from '../architecture';
import { positiveField, sizeField } from '../configFields';
import { space } from '../declare';
import { timmFamily, timmNames, unitsAt, type CommonSettings, type NamedModel } from './timm';
import type { VisionNames, VisionSettings } from './visionTransformer';

/** Width and heads by the name of a size; heads have 48 units. */
const namedSizes: Readonly<Record<string, { hidden: number; heads: number }>> = {
  xxs: { hidden: 192, heads: 4 },
  xs: { hidden: 288, heads: 6 },
  s: { hidden: 384, heads: 8 },
  m: { hidden: 768, heads: 16 },
};

/** `cait_xs24_384.fb_dist_in1k` */
const modelName = /^cait_(xxs|xs|s|m)(24|36|48)_(\d+)(\.|$)/;

function named([, size, layers, side]: RegExpExecArray): NamedModel {
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

function settings(given: ModelConfig, common: CommonSettings): VisionSettings {
  if (common.layerScale === undefined) {
    throw new UnsupportedError(
      'config.json sets init_values to null: CaiT has factors behind every branch.',
      'Take config.json from the same place as the weights beside it.',
    );
  }
  const { hiddenSize } = common.dimensions;
  const ratio = positiveField(given, 'mlp_ratio_token_only', 4);
  return {
    ...common,
    mixesHeads: true,
    classLayers: {
      count: sizeField(given, 'depth_token_only', { fallback: 2, limit: 1024 }),
      intermediateSize: unitsAt(hiddenSize, ratio),
    },
    specialTokens: [{ id: 'embeddings.cls.weight', tensor: 'cls_token' }],
    positionsOfTokens: false,
  };
}

/** What layers of both kinds have under one name. */
const common = {
  ...timmNames.modules,
  scale1: { name: 'gamma_1', tensor: 'gamma_1' },
  scale2: { name: 'gamma_2', tensor: 'gamma_2' },
};
const classUnits = space('classFfn');

const names: VisionNames = {
  ...timmNames,
  modules: {
    ...common,
    mixScores: { name: 'attn.proj_l' },
    mixWeights: { name: 'attn.proj_w' },
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
};

/** CaiT (Touvron et al. 2021), as timm stores it: talking heads, and layers of the class token alone. */
export const cait = timmFamily({
  modelType: 'timm-cait',
  modelClass: 'Cait',
  modelName,
  named,
  names,
  settings,
});
