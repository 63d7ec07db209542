import { flagField, sizeField } from '../configFields';
import { timmFamily, timmNames, type NamedModel } from './timm';
import type { SpecialToken, VisionNames } from './visionTransformer';

/** Width and heads by the name of a size; all have twelve layers but the large one. */
const namedSizes: Readonly<Record<string, { hidden: number; layers: number; heads: number }>> = {
  tiny: { hidden: 192, layers: 12, heads: 3 },
  small: { hidden: 384, layers: 12, heads: 6 },
  base: { hidden: 768, layers: 12, heads: 12 },
  large: { hidden: 1024, layers: 24, heads: 16 },
};

/** `vit_small_patch14_reg4_dinov2.lvd142m` */
const modelName = /^(vit|deit|deit3)_(tiny|small|base|large)_patch(\d+)(_reg4)?_(\d+|dinov2)(\.|$)/;

/** Arguments of timm's VisionTransformer. */
const others: readonly string[] = [
  ...['reg_tokens', 'no_embed_class', 'class_token', 'patch_drop_rate'],
  ...['weight_init', 'dynamic_img_size', 'dynamic_img_pad'],
];

function named([, kind, size, patch, registers, resolution]: RegExpExecArray): NamedModel {
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

/** Registers share one tensor. */
const registersOf = (count: number): readonly SpecialToken[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `embeddings.register${index}.weight`,
    tensor: 'reg_token',
    row: { index, count },
  }));

const names: VisionNames = {
  ...timmNames,
  modules: {
    ...timmNames.modules,
    scale1: { name: 'ls1', tensor: 'ls1.gamma' },
    scale2: { name: 'ls2', tensor: 'ls2.gamma' },
  },
};

/** ViT, DeiT, DeiT III and DINOv2 as timm stores them, with and without registers. */
export const timmVit = timmFamily({
  modelType: 'timm-vit',
  modelClass: 'VisionTransformer',
  modelName,
  named,
  names,
  settings: (given, common) => ({
    ...common,
    specialTokens: [
      { id: 'embeddings.cls.weight', tensor: 'cls_token' },
      ...registersOf(given['reg_tokens'] ? sizeField(given, 'reg_tokens', { limit: 1024 }) : 0),
    ],
    positionsOfTokens: !flagField(given, 'no_embed_class', false),
  }),
});
