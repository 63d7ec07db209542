import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  logits,
  plainWeights,
  positionIds,
  recognizeArchitecture,
  type ModelConfig,
} from '../../../src/architecture';
import { constant, evaluate, gather } from '../../../src/graph';
import { assertClose } from '../../support/close';
import { uniform } from '../../support/random';
import { fedForward, type PlainBatch } from './forward';
import {
  parameterValues,
  readFixture,
  readGolden,
  readModel,
  type FamilyName,
  type Fixture,
} from './fixtures';

const tokens: PlainBatch = {
  batchSize: 2,
  sequenceLength: 5,
  inputIds: Int32Array.from({ length: 10 }, (_, index) => (index * 37 + 5) % 512),
};

/** A fixture with its config.json and tensors changed. */
function variant(
  family: FamilyName,
  changes: ModelConfig,
  tensors: Fixture['tensors'] = readModel(family),
): Fixture {
  const config = { ...readFixture(family).config, ...changes };
  return { config, tensors, recognition: recognizeArchitecture(config, tensors) };
}

function computedLogits(fixture: Fixture, batch: PlainBatch): Float64Array {
  const values = parameterValues(fixture);
  const { readout, feeds } = fedForward(fixture.recognition.architecture, values, batch);
  return evaluate([logits(readout())], feeds)[0]!;
}

for (const family of ['bert', 'roberta', 'gpt2'] as const) {
  test(`${family} means the usual mask and positions when they are not given`, () => {
    const fixture = readFixture(family);
    const attentionMask = new Float32Array(10).fill(1);
    const counted = Int32Array.of(0, 1, 2, 3, 4, 0, 1, 2, 3, 4);
    const explicit = computedLogits(fixture, {
      ...tokens,
      attentionMask,
      positionIds: family === 'roberta' ? counted.map(position => position + 2) : counted,
      ...(family !== 'gpt2' && { tokenTypeIds: new Int32Array(10) }),
    });
    assertClose(computedLogits(fixture, tokens), explicit, 1e-12, 'logits');
  });

  test(`${family} reads only the rows it is asked for`, () => {
    const fixture = readFixture(family);
    const { architecture } = fixture.recognition;
    const { readout, feeds, feed } = fedForward(architecture, parameterValues(fixture), tokens);
    const positions = feed('positions', Int32Array.of(7, 2));
    const [some, all] = evaluate(
      [logits(readout(positions)), gather(logits(readout()), positions)],
      feeds,
    );
    assertClose(some!, all!, 1e-12, 'logits');
    assert.equal(some!.length, 2 * 512);
  });

  test(`padding does not change what ${family} says about the tokens`, () => {
    const fixture = readFixture(family);
    const attentionMask = Float32Array.of(1, 1, 1, 0, 0, 1, 1, 1, 0, 0);
    const other = tokens.inputIds!.map((id, index) => (attentionMask[index] === 1 ? id : 9));
    const [first, second] = [tokens.inputIds!, other].map(inputIds =>
      computedLogits(fixture, { ...tokens, inputIds, attentionMask }),
    );
    for (const row of [0, 1, 2, 5, 6, 7]) {
      const [start, end] = [row * 512, (row + 1) * 512];
      assertClose(first!.subarray(start, end), second!.subarray(start, end), 1e-12, `row ${row}`);
    }
  });
}

test('GPT-2 sees nothing of what comes later', () => {
  const fixture = readFixture('gpt2');
  const later = tokens.inputIds!.map((id, index) => (index % 5 < 3 ? id : 11));
  const [first, second] = [tokens.inputIds!, later].map(inputIds =>
    computedLogits(fixture, { ...tokens, inputIds }),
  );
  assertClose(first!.subarray(0, 3 * 512), second!.subarray(0, 3 * 512), 1e-12, 'earlier rows');
});

test('GPT-2 looks token types up among the words, as transformers does', () => {
  const fixture = readFixture('gpt2');
  const types = tokens.inputIds!.map(id => (id + 1) % 512);
  const [straight, exchanged] = [
    computedLogits(fixture, { ...tokens, tokenTypeIds: types }),
    computedLogits(fixture, { ...tokens, inputIds: types, tokenTypeIds: tokens.inputIds! }),
  ];
  assertClose(straight!, exchanged!, 1e-9, 'logits');
});

test('GPT-2 without attention scaling equals a scaled one with larger queries', () => {
  const values = parameterValues(readFixture('gpt2'));
  const larger = new Map(
    [...values].map(([id, data]) =>
      // The heads are 16 wide, so the scale is 1/4, exact in float32.
      [id, /\.q\.(weight|bias)$/.test(id) ? data.map(value => value / 4) : data],
    ),
  );
  const unscaled = variant('gpt2', { scale_attn_weights: false }).recognition.architecture;
  const run = (architecture: typeof unscaled, parameters: Map<string, Float32Array>) => {
    const { readout, feeds } = fedForward(architecture, parameters, tokens);
    return evaluate([logits(readout())], feeds)[0]!;
  };
  const scaled = readFixture('gpt2').recognition.architecture;
  assertClose(run(unscaled, larger), run(scaled, values), 1e-9, 'logits');
});

test('GPT-2 with an untied table equal to the embeddings says the same as tied', () => {
  const tensors = readModel('gpt2');
  tensors.set('lm_head.weight', tensors.get('transformer.wte.weight')!);
  const untied = variant('gpt2', { tie_word_embeddings: false }, tensors);
  assertClose(
    computedLogits(untied, tokens),
    computedLogits(readFixture('gpt2'), tokens),
    1e-12,
    'logits',
  );
});

test("RoBERTa's positions pass over the padding's id, in text too", () => {
  const ids = [9, 8, 7, 1, 1, 9, 1, 8, 1, 7];
  assert.deepEqual(positionIds(ids, 5, 1), Int32Array.of(2, 3, 4, 1, 1, 2, 1, 3, 1, 4));
  const without = readFixture('roberta').config;
  for (const [pad, positions] of [
    [3, [4, 3, 5]],
    [0, [1, 2, 3]],
    [-1, [0, 1, 2]],
  ] as const) {
    const { architecture } = variant('roberta', { ...without, pad_token_id: pad }).recognition;
    assert.deepEqual([...architecture.positionIds!([9, 3, 8], 3)], positions);
    const accepted = architecture.accepts as { longestSequence: number };
    assert.equal(accepted.longestSequence, 66 - pad - 1);
  }
});

test('RoBERTa without a padding id is refused, as transformers cannot compute it', () => {
  assert.throws(() => variant('roberta', { pad_token_id: null }), /pad_token_id is null/);
});

test('DeiT with one classifier says what the class token says', () => {
  const tensors = new Map(
    [...readModel('deit')].flatMap(([name, tensor]) =>
      name.startsWith('distillation_classifier')
        ? []
        : [[name.replace('cls_classifier', 'classifier'), tensor] as const],
    ),
  );
  const golden = readGolden('deit');
  const fixture = variant('deit', { architectures: ['DeiTForImageClassification'] }, tensors);
  const pixelValues = golden.get('in.pixel_values')!.data as Float32Array;
  assertClose(
    computedLogits(fixture, { batchSize: 2, pixelValues }),
    golden.get('out.cls_logits')!.data,
    1e-4,
    'class-token logits',
  );
});

test('ViT without query, key and value biases equals biases of zero', () => {
  const isBias = (name: string): boolean => /attention\.attention\.\w+\.bias$/.test(name);
  const tensors = readModel('vit');
  const without = new Map([...tensors].filter(([name]) => !isBias(name)));
  const zero = new Map(
    [...tensors].map(([name, { shape, data }]) => [
      name,
      { shape, data: isBias(name) ? data.map(() => 0) : data },
    ]),
  );
  const pixelValues = uniform(4, 3 * 32 * 32);
  assertClose(
    computedLogits(variant('vit', { qkv_bias: false }, without), { batchSize: 1, pixelValues }),
    computedLogits(variant('vit', {}, zero), { batchSize: 1, pixelValues }),
    1e-12,
    'logits',
  );
});

test('pixels that fill no patch are left out, as the convolution leaves them', () => {
  // 33 × 35 pixels in patches of 8 × 8 are the same 4 × 4 patches as 32 × 32.
  const [height, width] = [33, 35];
  const large = uniform(5, 3 * height * width);
  const small = new Float32Array(3 * 32 * 32);
  for (let channel = 0; channel < 3; channel++) {
    for (let row = 0; row < 32; row++) {
      const start = (channel * height + row) * width;
      small.set(large.subarray(start, start + 32), (channel * 32 + row) * 32);
    }
  }
  const odd = variant('vit', { image_size: [height, width] });
  assertClose(
    computedLogits(odd, { batchSize: 1, pixelValues: large }),
    computedLogits(readFixture('vit'), { batchSize: 1, pixelValues: small }),
    1e-12,
    'logits',
  );
});

test('an embedding is the sum of rows by number and of rows repeated for each sequence', () => {
  const weights = plainWeights(id =>
    id === 'words' ? words : id === 'places' ? places : undefined,
  );
  const words = constant(Float32Array.of(1, 2, 10, 20), [2, 2]);
  const places = constant(Float32Array.of(0, 0, 100, 200, 300, 400), [3, 2]);
  const rows = constant(Int32Array.of(0, 1, 1, 0));
  const sum = weights.embedding([
    { table: 'places', start: 1, count: 2 },
    { table: 'words', rows },
    { table: 'places', start: 2, count: 1 },
  ]);
  assert.deepEqual([...evaluate([sum], {})[0]!], [401, 602, 610, 820, 410, 620, 601, 802]);
  assert.throws(() => weights.embedding([{ table: 'places', start: 0, count: 1 }]), /row numbers/);
  assert.throws(() => weights.tensor('elsewhere'), /no parameter elsewhere/);
});
