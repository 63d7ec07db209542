import assert from 'node:assert/strict';
import { test } from 'node:test';

import { renamed, type Renaming } from '../../../../src/checkpoint/formats/names/renaming';
import { flaxNames, tensorFlowNames } from '../../../../src/checkpoint/formats/names/transformers';
import { contiguous } from '../../../../src/checkpoint/layouts/contiguous';
import { CorruptFileError } from '../../../../src/errors';

/** Names and shapes after a table was applied to tensors of float32. */
function after(
  table: Renaming,
  tensors: readonly (readonly [string, readonly number[]])[],
): (readonly [string, readonly number[]])[] {
  const infos = tensors.map(([name, shape]) => {
    return {
      name,
      shape,
      type: 'F32' as const,
      file: '/a',
      bytes: 0,
      layout: contiguous('F32', 0),
    };
  });
  return renamed(infos, table).map(({ name, shape }) => [name, shape]);
}

test("names of TensorFlow's classes become those of PyTorch's", () => {
  const named = after(tensorFlowNames, [
    ['tf_gpt2lm_head_model/transformer/h_._0/attn/c_attn/weight:0', [8, 24]],
    ['tf_gpt2lm_head_model/transformer/h_._0/attn/c_attn/bias:0', [1, 24]],
    ['tf_gpt2lm_head_model/transformer/h_._0/ln_1/gamma:0', [8]],
    ['tf_gpt2lm_head_model/transformer/wte/weight:0', [20, 8]],
    ['tf_gpt2lm_head_model/transformer/wpe/embeddings:0', [12, 8]],
    ['tf_vi_t_model/vit/embeddings/patch_embeddings/projection/kernel:0', [4, 4, 3, 8]],
    ['tf_bert_for_masked_lm/mlm___cls/predictions/transform/dense/kernel:0', [8, 16]],
    ['tf_bert_for_masked_lm/mlm___cls/predictions/bias:0', [20]],
    ['final_logits_bias', [1, 20]],
  ]);
  assert.deepEqual(named, [
    ['transformer.h.0.attn.c_attn.weight', [8, 24]],
    ['transformer.h.0.attn.c_attn.bias', [24]],
    ['transformer.h.0.ln_1.weight', [8]],
    ['transformer.wte.weight', [20, 8]],
    ['transformer.wpe.weight', [12, 8]],
    ['vit.embeddings.patch_embeddings.projection.weight', [8, 3, 4, 4]],
    ['cls.predictions.transform.dense.weight', [16, 8]],
    ['cls.predictions.bias', [20]],
    ['final_logits_bias', [1, 20]],
  ]);
});

test("names of Flax's classes become those of PyTorch's", () => {
  const named = after(flaxNames, [
    ['params/bert/encoder/layer/0/output/dense/kernel', [16, 8]],
    ['params/bert/embeddings/LayerNorm/scale', [8]],
    ['params/bert/embeddings/word_embeddings/embedding', [20, 8]],
    ['batch_stats/resnet/layers/0/norm/mean', [8]],
    ['batch_stats/resnet/layers/0/norm/var', [8]],
    ['params/conv/kernel', [3, 2, 5, 7]],
    ['params/line/kernel', [3, 5, 7]],
  ]);
  assert.deepEqual(named, [
    ['bert.encoder.layer.0.output.dense.weight', [8, 16]],
    ['bert.embeddings.LayerNorm.weight', [8]],
    ['bert.embeddings.word_embeddings.weight', [20, 8]],
    ['resnet.layers.0.norm.running_mean', [8]],
    ['resnet.layers.0.norm.running_var', [8]],
    ['conv.weight', [7, 5, 3, 2]],
    ['line.weight', [7, 5, 3]],
  ]);
});

test('names that show no class of transformers stay as they are, with their axes', () => {
  const own = [
    ['dense_1/kernel', [2, 3]],
    ['Dense_0/kernel', [2, 3]],
    ['encoderblock_0/scale', [4]],
  ] as const;
  assert.deepEqual(after(tensorFlowNames, own), own);
  assert.deepEqual(after(flaxNames, own), own);
});

test('two names that become one are refused', () => {
  const twice = [
    ['a/layer_._0/dense/kernel', [1]],
    ['b/layer_._0/dense/kernel', [1]],
  ] as const;
  assert.throws(() => after(tensorFlowNames, twice), CorruptFileError);
});
