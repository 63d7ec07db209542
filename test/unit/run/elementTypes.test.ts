import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCheckpoint } from '../../../src/checkpoint/checkpoint';
import type { StoredType } from '../../../src/checkpoint/elementTypes';
import { writeCheckpoint } from '../../../src/checkpoint/writeCheckpoint';
import { UnsupportedError, UserError } from '../../../src/errors';
import { apply } from '../../../src/run/grow/apply';
import { compare } from '../../../src/run/compare/compare';
import { evaluateCheckpoint } from '../../../src/run/score/evaluate';
import { grow } from '../../../src/run/grow/grow';
import { inspect } from '../../../src/inspect/inspect';
import { openModel } from '../../../src/run/open/model';
import { defaultTrainSettings } from '../../../src/run/settings';
import { train } from '../../../src/run/train/train';
import { example } from '../../support/fixtures';
import { remedyText } from '../../support/remedyText';
import { failure } from '../../support/userError';
import { bible, recorded, shortSettings, temporaryFolder } from './support';

/** A copy of the example with its weights in another element type. */
async function exampleIn(type: StoredType): Promise<string> {
  const folder = join(temporaryFolder(), `gpt2-${type}`);
  cpSync(example('gpt2-kjv'), folder, { recursive: true });
  rmSync(join(folder, 'model.safetensors'));
  const source = await openCheckpoint(join(example('gpt2-kjv'), 'model.safetensors'));
  const tensors = [...source.tensors.values()].map(({ name, shape }) => ({
    ...{ name, type, shape },
    values: () => source.readFloat32(name),
  }));
  await writeCheckpoint(folder, tensors);
  await source.close();
  return folder;
}

const target = { layers: 5, hidden: 80 };

for (const type of ['F16', 'BF16'] as const) {
  for (const method of ['ligo', 'stack'] as const) {
    test(`the receipt of a ${type} growth by ${method} gives the loss of the file as written`, async () => {
      const checkpoint = await exampleIn(type);
      const out = join(temporaryFolder(), 'out');
      const receipt = await grow(recorded().context, {
        ...{ checkpoint, target, out, method, data: bible, seed: 0 },
        settings: shortSettings(3),
      });
      const scores = await evaluateCheckpoint(recorded().context, { checkpoint: out, data: bible });
      assert.equal(receipt.losses!.after.loss, scores.loss);
    });
  }

  test(`the receipt of a ${type} training gives the loss of the file as written`, async () => {
    const checkpoint = await exampleIn(type);
    const out = join(temporaryFolder(), 'out');
    const receipt = await train(recorded().context, {
      ...{ checkpoint, out, data: bible, seed: 0 },
      settings: { ...defaultTrainSettings, steps: 3, warmup: 1 },
    });
    const scores = await evaluateCheckpoint(recorded().context, { checkpoint: out, data: bible });
    assert.equal(receipt.after.loss, scores.loss);
  });

  test(`the receipt of a ${type} model that a comparison keeps gives the loss of the file as written`, async () => {
    const out = join(temporaryFolder(), 'out');
    const report = await compare(recorded().context, {
      ...{ checkpoint: await exampleIn(type), target, out, data: bible, keep: 'winner' },
      ...{ methods: ['stack'], seeds: [0], growthSteps: 1, evaluateEvery: 3 },
      training: { ...defaultTrainSettings, steps: 3, warmup: 1 },
    });
    const checkpoint = join(out, report.models![0]!.folder);
    const scores = await evaluateCheckpoint(recorded().context, { checkpoint, data: bible });
    const text = readFileSync(join(checkpoint, 'training.json'), 'utf8');
    const { after } = JSON.parse(text) as { after: { loss: number } };
    assert.equal(after.loss, scores.loss);
  });
}

test('weights in float64 are said to keep float32 precision, in the receipt too', async () => {
  const checkpoint = await exampleIn('F64');
  const { context, events } = recorded();
  const { warnings } = await grow(context, {
    ...{ checkpoint, target, method: 'stack', seed: 0, settings: shortSettings(1) },
    out: join(temporaryFolder(), 'out'),
  });
  assert.equal(warnings.filter(text => /float64.*float32 precision/.test(text)).length, 1);
  assert.equal(events.filter(({ type }) => type === 'warning').length, 1);
});

for (const type of ['F8_E4M3', 'F8_E5M2', 'I8', 'I32', 'U8', 'F4'] as const) {
  test(`weights in ${type} are listed by inspect and refused as a model`, async () => {
    const folder = join(temporaryFolder(), 'model');
    cpSync(example('gpt2-kjv'), folder, { recursive: true });
    rmSync(join(folder, 'model.safetensors'));
    const source = await openCheckpoint(example('gpt2-kjv'));
    const bits = { F8_E4M3: 8, F8_E5M2: 8, I8: 8, I32: 32, U8: 8, F4: 4 }[type];
    const tensors = [...source.tensors.values()].map(({ name, shape }) => {
      const elements = shape.reduce((product, length) => product * length, 1);
      return {
        ...{ name, type, shape },
        values: () => Promise.resolve(new Uint8Array((elements * bits) / 8)),
      };
    });
    await source.close();
    await writeCheckpoint(folder, tensors);
    const says = new RegExp(`stored as ${type} .*bfloat16`);
    const { remedy } = await failure(openModel(folder), UnsupportedError, says);
    const helps = type.startsWith('F')
      ? /dtype=torch\.bfloat16/
      : /the checkpoint that they were made of/;
    assert.match(remedyText(remedy), helps);
    const { problems, tensors: listed } = await inspect(folder);
    assert.equal(listed.length, tensors.length);
    assert.match(problems[0]!.message, new RegExp(`stored as ${type}`));
  });
}

for (const [type, factor] of [
  ['F16', 1e6],
  ['BF16', 1e36],
  ['F32', 1e36],
] as const) {
  test(`weights that overflow ${type} are refused by their names, and nothing is left`, async () => {
    const checkpoint = await exampleIn(type);
    const folder = temporaryFolder();
    const grown = join(folder, 'grown');
    await grow(recorded().context, {
      ...{ checkpoint, target, out: grown, method: 'net2net', seed: 0 },
      settings: shortSettings(1),
    });
    const operators = await openCheckpoint(join(grown, 'operators.safetensors'));
    const scaled = [...operators.tensors.values()].map(({ name, shape }) => ({
      ...{ name, shape, type: 'F32' as const },
      values: async () => (await operators.readFloat32(name)).map(value => value * factor),
    }));
    await writeCheckpoint(folder, scaled, { baseName: 'large', metadata: { format: 'ligo' } });
    await operators.close();
    const out = join(folder, 'out');
    await failure(
      apply(recorded().context, {
        ...{ checkpoint, target, out, operators: join(folder, 'large.safetensors') },
      }),
      UserError,
      /weight".* (have|has) values (too large for their element type|that are no numbers)/,
    );
    assert.equal(existsSync(out), false);
  });
}
