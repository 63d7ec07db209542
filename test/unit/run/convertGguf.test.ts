import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadTokenizer } from '../../../src/data/tokenizer';
import { UnsupportedError } from '../../../src/errors';
import type { ConversionRequest, GgufType } from '../../../src/protocol/conversion';
import { convert } from '../../../src/run/convert/convert';
import { openModel, readParameters, type Model } from '../../../src/run/open/model';
import { example, fixture } from '../../support/fixtures';
import { entries, recorded, temporaryFolder } from './support';
import { withTokenizer, type Changes } from './withTokenizer';

const asGguf = (checkpoint: string, outtype: GgufType = 'f32'): ConversionRequest => ({
  checkpoint,
  out: join(temporaryFolder(), 'out'),
  format: 'gguf',
  outtype,
});

async function opened(path: string): Promise<Model> {
  const model = await openModel(path);
  await readParameters(model);
  return model;
}

const families: readonly (readonly [string, Changes?])[] = [
  ['llama'],
  ['mistral'],
  ['qwen2'],
  ['qwen3'],
  ['gemma'],
  ['gemma2', { query_pre_attn_scalar: 16 }],
  ['gpt2'],
  ['gpt_neox'],
  ['granite'],
  ['olmo2'],
  ['smollm3'],
  ['starcoder2'],
];

for (const [name, changes] of families) {
  test(`a ${name} is the same model after it was written as GGUF and read again`, async () => {
    const folder = withTokenizer(name, changes);
    const request = asGguf(folder);
    const { context } = recorded();
    const receipt = await convert(context, request);
    assert.deepEqual(readdirSync(request.out).sort(), ['conversion.json', `${name}-F32.gguf`]);
    const [before, after] = [await opened(folder), await opened(request.out)];
    assert.equal(receipt.tensors, new Set(before.names.values()).size);
    assert.deepEqual(after.architecture.dimensions, before.architecture.dimensions);
    const [own, again] = [await readParameters(before), await readParameters(after)];
    assert.deepEqual(Object.keys(again).sort(), Object.keys(own).sort());
    for (const [id, values] of Object.entries(own)) {
      // Norms of Gemma are stored with 1 added to them, in float32.
      again[id]!.forEach((value, i) => {
        assert.ok(Math.abs(value - values[i]!) <= (name.startsWith('gemma') ? 1.2e-7 : 0), id);
      });
    }
    const tokenizers = [
      await loadTokenizer(before.checkpoint),
      await loadTokenizer(after.checkpoint),
    ] as const;
    const text = 'In the beginning 12 x_y\n ü';
    const [ids, others] = await Promise.all(tokenizers.map(one => one.encode(text)));
    assert.deepEqual(others, ids);
    await Promise.all(tokenizers.map(one => one.close()));
    await Promise.all([before, after].map(({ checkpoint }) => checkpoint.close()));
  });
}

for (const [outtype, most] of [
  ['f16', 2 ** -11],
  ['bf16', 2 ** -8],
  ['q8_0', 0.5 / 127 + 2 ** -11],
] as const) {
  test(`weights as ${outtype} are as near to the source's as that allows`, async () => {
    const request = asGguf(example('llama-kjv'), outtype);
    const { context } = recorded();
    await convert(context, request);
    const [before, after] = [await openModel(example('llama-kjv')), await openModel(request.out)];
    const [own, again] = [await readParameters(before), await readParameters(after)];
    for (const [id, values] of Object.entries(own)) {
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const off = values.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - again[id]![i]!)),
        0,
      );
      assert.ok(off <= most * largest * 1.01, `${id}: ${off} of ${largest}`);
      if (values.length === 64) assert.equal(off, 0, id);
    }
    await Promise.all([before, after].map(({ checkpoint }) => checkpoint.close()));
  });
}

test('the table that a head shares is written once', async () => {
  const request = asGguf(example('llama-kjv'));
  await convert(recorded().context, request);
  const { checkpoint } = await openModel(request.out);
  await checkpoint.close();
  assert.equal(checkpoint.config!['tie_word_embeddings'], true);
  assert.equal(checkpoint.tensors.has('lm_head.weight'), false);
});

test('a window that llama.cpp does not have is told', async () => {
  const { warnings } = await convert(recorded().context, asGguf(withTokenizer('mistral')));
  assert.match(warnings.join('\n'), /sees 6 tokens back \(sliding_window\)/);
});

/** What is not written, and why. */
const refusals: readonly (readonly [string, () => string, RegExp])[] = [
  ['a family that llama.cpp knows otherwise', () => withTokenizer('opt'), /of the family "opt"/],
  ['a model that fills in words', () => example('bert-kjv'), /of the family "bert"/],
  [
    'another activation',
    () => withTokenizer('llama', { hidden_act: 'gelu' }),
    /asks for something \("hidden_act"\) that the metadata/,
  ],
  [
    'another scale of attention',
    () => withTokenizer('gemma2'),
    /asks for something \("query_pre_attn_scalar"\)/,
  ],
  [
    'dynamic scaling of positions',
    () =>
      withTokenizer('llama', {
        rope_parameters: { rope_type: 'dynamic', factor: 2, rope_theta: 1e4 },
      }),
    /positions are scaled by "dynamic"/,
  ],
  ['a model without a tokenizer', () => fixture('hf/llama'), /there is no tokenizer.json/],
];

for (const [what, folder, message] of refusals) {
  test(`${what} is refused before anything is written`, async () => {
    const request = asGguf(folder());
    await assert.rejects(convert(recorded().context, request), (error: unknown) => {
      assert.ok(error instanceof UnsupportedError, String(error));
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(entries(join(request.out, '..')), []);
  });
}
