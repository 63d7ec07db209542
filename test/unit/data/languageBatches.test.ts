import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { Batch, BatchSource } from '../../../src/data/batches';
import {
  maskedPositions,
  openCausalBatches,
  openMaskedBatches,
  wrapsSequences,
} from '../../../src/data/languageBatches';
import { loadTokenizer, type TextTokenizer } from '../../../src/data/tokenizer';
import { UsageError, UserError } from '../../../src/errors';
import { examples, temporaryFolder } from './temporary';

const path = join(examples, 'kjv.txt');
const sizes = { batchSize: 6, sequenceLength: 32, seed: 3 };
const ints = (batch: Batch, name: string): Int32Array => {
  const tensor = batch[name];
  assert.ok(tensor instanceof Int32Array, name);
  return tensor;
};
const floats = (batch: Batch, name: string): Float32Array => {
  const tensor = batch[name];
  assert.ok(tensor instanceof Float32Array, name);
  return tensor;
};
const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);

async function isPureInStep(open: () => Promise<BatchSource>): Promise<void> {
  const source = await open();
  const inOrder = [];
  for (let step = 0; step < 12; step++) inOrder.push(await source.train(step));
  const other = await open();
  const [last, held] = [await other.train(11), await other.evaluate(1)];
  assert.deepEqual(last, inOrder[11]);
  assert.deepEqual(await other.train(3), inOrder[3]);
  assert.deepEqual(await source.evaluate(1), held);
  const together = await Promise.all([7, 2, 7].map(step => other.train(step)));
  assert.deepEqual(together, [inOrder[7], inOrder[2], inOrder[7]]);
  assert.notDeepEqual(inOrder[0], inOrder[1]);
  await source.close();
  assert.deepEqual(await source.train(5), inOrder[5]);
}

describe('batches for a causal model', () => {
  let tokenizer: TextTokenizer;
  before(async () => {
    tokenizer = await loadTokenizer(join(examples, 'gpt2-kjv'));
  });

  it('ask for the token that follows each but the last, in static shapes', async () => {
    const source = await openCausalBatches({ path, tokenizer, ...sizes });
    assert.equal(source.itemsPerBatch, 192);
    assert.equal(source.unit, 'tokens');
    for (const batch of [
      await source.train(0),
      await source.train(1e9),
      await source.evaluate(0),
    ]) {
      const inputIds = ints(batch, 'input_ids');
      const positions = ints(batch, 'positions');
      const targets = ints(batch, 'targets');
      assert.deepEqual([inputIds.length, positions.length, targets.length], [192, 186, 186]);
      positions.forEach((position, index) => {
        assert.notEqual(position % 32, 31);
        assert.equal(targets[index], inputIds[position + 1]);
      });
      assert.equal(new Set(positions).size, 186);
      assert.ok(Math.abs(sum(floats(batch, 'weights')) - 1) < 1e-5);
      assert.ok(inputIds.every(id => id > 0 && id < 1024));
    }
  });

  it('are pure functions of seed and step', () =>
    isPureInStep(() => openCausalBatches({ path, tokenizer, ...sizes })));

  it('train differently for another seed, but evaluate on the same', async () => {
    const one = await openCausalBatches({ path, tokenizer, ...sizes });
    const two = await openCausalBatches({ path, tokenizer, ...sizes, seed: 4 });
    assert.notDeepEqual(await one.train(0), await two.train(0));
    for (let index = 0; index < one.evaluationBatches; index++) {
      assert.deepEqual(await one.evaluate(index), await two.evaluate(index));
    }
    await assert.rejects(one.evaluate(one.evaluationBatches), RangeError);
    await assert.rejects(one.evaluate(-1), RangeError);
  });

  it('have as many held-out batches as asked for, else at most as the text fills', async () => {
    const all = await openCausalBatches({ path, tokenizer, ...sizes });
    assert.equal(all.evaluationBatches, 16);
    const three = await openCausalBatches({ path, tokenizer, ...sizes, evaluationBatches: 3 });
    assert.equal(three.evaluationBatches, 3);
    const folder = temporaryFolder({ 'a.txt': 'in the beginning\n'.repeat(400) });
    const few = await openCausalBatches({ path: folder, tokenizer, ...sizes });
    assert.equal(few.evaluationBatches, 1);
    assert.equal(ints(await few.evaluate(0), 'input_ids').length, 192);
  });

  it('refuse sizes that make no batch', async () => {
    for (const wrong of [
      { batchSize: 0 },
      { batchSize: 1.5 },
      { sequenceLength: 1 },
      { evaluationBatches: 0 },
    ]) {
      await assert.rejects(openCausalBatches({ path, tokenizer, ...sizes, ...wrong }), UsageError);
    }
  });
});

describe('batches for a masked model', () => {
  let tokenizer: TextTokenizer;
  before(async () => {
    tokenizer = await loadTokenizer(join(examples, 'bert-kjv'));
  });

  it('are [CLS] … [SEP] with a fixed number of ordinary tokens to predict', async () => {
    const source = await openMaskedBatches({ path, tokenizer, ...sizes });
    const count = maskedPositions(6, 32, wrapsSequences(tokenizer));
    assert.equal(count, 27); // 15 % of 180
    for (const batch of [await source.train(0), await source.train(1), await source.evaluate(0)]) {
      const inputIds = ints(batch, 'input_ids');
      const positions = ints(batch, 'positions');
      const targets = ints(batch, 'targets');
      assert.equal(inputIds.length, 192);
      assert.deepEqual([positions.length, targets.length], [count, count]);
      for (let row = 0; row < 6; row++) {
        assert.equal(inputIds[row * 32], 2);
        assert.equal(inputIds[row * 32 + 31], 3);
      }
      assert.ok(positions.every((p, i) => i === 0 || p > positions[i - 1]!));
      assert.ok(positions.every(position => position % 32 !== 0 && position % 32 !== 31));
      assert.ok(targets.every(id => !tokenizer.specialIds.has(id)));
      assert.ok(Math.abs(sum(floats(batch, 'weights')) - 1) < 1e-5);
    }
  });

  it('mask 80 %, replace 10 % and keep 10 % of the chosen tokens, all tokens alike', async () => {
    const source = await openMaskedBatches({ path, tokenizer, ...sizes, batchSize: 64 });
    let [masked, kept, replaced, total] = [0, 0, 0, 0];
    const columns = new Float64Array(32);
    const randomIds = new Set<number>();
    for (let step = 0; step < 60; step++) {
      const batch = await source.train(step);
      const inputIds = ints(batch, 'input_ids');
      const targets = ints(batch, 'targets');
      ints(batch, 'positions').forEach((position, index) => {
        const id = inputIds[position]!;
        columns[position % 32]! += 1;
        total++;
        if (id === 4) masked++;
        else if (id === targets[index]) kept++;
        else {
          replaced++;
          randomIds.add(id);
        }
        assert.ok(id === 4 || !tokenizer.specialIds.has(id));
      });
    }
    assert.equal(total, 60 * maskedPositions(64, 32, true));
    assert.ok(Math.abs(masked / total - 0.8) < 0.01, `${masked / total} masked`);
    assert.ok(Math.abs(kept / total - 0.1) < 0.01, `${kept / total} kept`);
    assert.ok(Math.abs(replaced / total - 0.1) < 0.01, `${replaced / total} replaced`);
    assert.ok(randomIds.size > 700, `${randomIds.size} different random tokens`);
    const expected = total / 30;
    assert.ok(columns.slice(1, 31).every(count => Math.abs(count / expected - 1) < 0.2));
  });

  it('hide only what they ask for: the rest is the text', async () => {
    const source = await openMaskedBatches({ path, tokenizer, ...sizes });
    const plain = await openCausalBatches({ path, tokenizer, ...sizes, sequenceLength: 30 });
    const [masked, text] = [await source.train(8), ints(await plain.train(8), 'input_ids')];
    const restored = ints(masked, 'input_ids').slice();
    ints(masked, 'positions').forEach((position, index) => {
      restored[position] = ints(masked, 'targets')[index]!;
    });
    for (let row = 0; row < 6; row++) {
      assert.deepEqual(
        restored.slice(row * 32 + 1, row * 32 + 31),
        text.slice(row * 30, row * 30 + 30),
      );
    }
  });

  it('are pure functions of seed and step', () =>
    isPureInStep(() => openMaskedBatches({ path, tokenizer, ...sizes })));

  it('evaluate on the same tokens and masks whatever the seed', async () => {
    const one = await openMaskedBatches({ path, tokenizer, ...sizes });
    const two = await openMaskedBatches({ path, tokenizer, ...sizes, seed: 4 });
    assert.deepEqual(await one.evaluate(2), await two.evaluate(2));
    assert.notDeepEqual(
      ints(await one.evaluate(2), 'positions'),
      ints(await one.evaluate(3), 'positions'),
    );
  });

  it('leave sequences bare when told to, or without [CLS] and [SEP]', async () => {
    const bare = await openMaskedBatches({ path, tokenizer, ...sizes, wrap: false });
    const batch = await bare.train(0);
    assert.equal(ints(batch, 'positions').length, maskedPositions(6, 32, false));
    assert.ok(!ints(batch, 'input_ids').includes(2));
    assert.equal(wrapsSequences({ ...tokenizer, special: { cls: 2, mask: 4 } }), false);
    assert.equal(wrapsSequences(tokenizer, false), false);
  });

  it('keep their shapes where most of the text is unknown to the tokenizer', async () => {
    const folder = temporaryFolder({ 'a.txt': `${'漢 '.repeat(60)}god\n`.repeat(60) });
    const source = await openMaskedBatches({ path: folder, tokenizer, ...sizes });
    const count = maskedPositions(6, 32, true);
    let short = 0;
    for (let step = 0; step < 20; step++) {
      const batch = await source.train(step);
      const weights = floats(batch, 'weights');
      assert.equal(weights.length, count);
      assert.ok(Math.abs(sum(weights) - 1) < 1e-5);
      if (weights.includes(0)) short++;
      ints(batch, 'targets').forEach((id, index) => {
        assert.equal(tokenizer.specialIds.has(id), weights[index] === 0);
      });
    }
    assert.ok(short > 0);
    const unknown = temporaryFolder({ 'a.txt': '漢 字 \n'.repeat(2000) });
    const hopeless = await openMaskedBatches({ path: unknown, tokenizer, ...sizes });
    await assert.rejects(hopeless.train(0), { name: 'UserError', message: /knows no token/ });
  });

  it('refuse a tokenizer without a mask and sequences with no room', async () => {
    const gpt2 = await loadTokenizer(join(examples, 'gpt2-kjv'));
    await assert.rejects(openMaskedBatches({ path, tokenizer: gpt2, ...sizes }), UserError);
    await assert.rejects(
      openMaskedBatches({ path, tokenizer, ...sizes, sequenceLength: 2 }),
      UsageError,
    );
  });
});
