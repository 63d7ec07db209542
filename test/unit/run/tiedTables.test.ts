import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { evaluateCheckpoint } from '../../../src/run/score/evaluate';
import { grow } from '../../../src/run/grow/grow';
import { inspect } from '../../../src/inspect/inspect';
import { bible, header, recorded, shortSettings, temporaryFolder, withTensors } from './support';

/** The batches that the numbers below were computed on by transformers 5.18. */
const data = { ...bible, sequenceLength: 32 };

const larger = 1.5;

/** An example whose config.json ties a table (or a bias) that the file holds with other values. */
const cases = [
  {
    example: 'gpt2-kjv',
    output: 'lm_head.weight',
    shared: 'transformer.wte.weight',
    other: (value: number) => value * larger,
    loss: 4.954,
  },
  {
    example: 'bert-kjv',
    output: 'cls.predictions.decoder.weight',
    shared: 'bert.embeddings.word_embeddings.weight',
    other: (value: number) => value * larger,
    loss: 4.331,
  },
];

const withOutput = ({ example, output, shared, other }: (typeof cases)[number]): Promise<string> =>
  withTensors(example, tensors => {
    const { shape, data: values } = tensors.get(shared)!;
    return { [output]: { shape, data: (values as Float32Array).map(other) } };
  });

for (const known of cases) {
  test(`${known.example} with a table of its own is scored as transformers scores it, and that is said`, async () => {
    const folder = await withOutput(known);
    const { context, events } = recorded();
    const { loss, notes } = await evaluateCheckpoint(context, { checkpoint: folder, data });
    assert.ok(Math.abs(loss - known.loss) < 1e-3, `${loss} is ${known.loss}`);
    assert.match(notes[0]!.message, new RegExp(`${known.output} holds other values`));
    assert.ok(
      events.some(event => event.type === 'warning' && event.message === notes[0]!.message),
    );
    assert.deepEqual((await inspect(folder)).notes, notes);
  });

  test(`${known.example} with a table of its own keeps both when it grows`, async () => {
    const folder = await withOutput(known);
    const out = join(temporaryFolder(), 'out');
    const receipt = await grow(recorded().context, {
      ...{ checkpoint: folder, out, method: 'net2net', seed: 0, data },
      ...{ target: { hidden: 128, heads: 8 }, settings: shortSettings(1) },
    });
    assert.ok(header(join(out, 'model.safetensors')).tensors.has(known.output));
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as object;
    assert.equal((config as { tie_word_embeddings: boolean }).tie_word_embeddings, false);
    assert.ok(receipt.parity!.relativeError < 1e-5);
    assert.match(receipt.warnings[0]!, /holds other values/);
  });
}

test('a copy of the table is no table of its own', async () => {
  const folder = await withOutput({ ...cases[0]!, other: value => value });
  const { notes, model, ignored } = await inspect(folder);
  assert.deepEqual([notes, model?.head], [[], 'tied']);
  assert.match(ignored[0]!.reason, /second copy/);
});
