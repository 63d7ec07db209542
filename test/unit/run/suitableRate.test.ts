import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openModel } from '../../../src/run/open/model';
import { grow } from '../../../src/run/grow/grow';
import { defaultTrainSettings } from '../../../src/run/settings';
import { rateOfSize, suitableRate } from '../../../src/run/train/suitableRate';
import { train, type TrainRequest } from '../../../src/run/train/train';
import { example } from '../../support/fixtures';
import { bible, recorded, shortSettings, temporaryFolder } from './support';

async function rateOf(checkpoint: string) {
  const model = await openModel(checkpoint);
  try {
    return await suitableRate(model);
  } finally {
    await model.checkpoint.close();
  }
}

const settings = { ...defaultTrainSettings, steps: 2, warmup: 0 };

/** Trains the small GPT-2; gives the folder and what was warned of. */
async function trained(changes: Partial<TrainRequest>) {
  const out = join(temporaryFolder(), 'trained');
  const { context, events } = recorded();
  const receipt = await train(context, {
    ...{ checkpoint: example('gpt2-kjv'), data: bible, settings, seed: 0, out },
    ...changes,
  });
  const said = events.flatMap(event => (event.type === 'warning' ? [event.message] : [])).join();
  return { out, receipt, said };
}

describe('the rate that suits a checkpoint', () => {
  it('is a tenth of what its size is trained at where nothing tells of its training', async () => {
    const suitable = await rateOf(example('gpt2-kjv'));
    assert.deepEqual(suitable, { rate: 1e-4, reason: 'size', fromScratch: 1e-3 });
  });

  it('is what its size is trained at where it was just grown, and a tenth of its own after a training', async () => {
    const grown = join(temporaryFolder(), 'grown');
    const { context } = recorded();
    await grow(context, {
      ...{ checkpoint: example('gpt2-kjv'), method: 'stack', seed: 0, out: grown },
      target: { layers: 4 },
      settings: shortSettings(1),
    });
    assert.deepEqual(await rateOf(grown), { rate: 1e-3, reason: 'grown', fromScratch: 1e-3 });
    const { out } = await trained({
      checkpoint: grown,
      settings: { ...settings, learningRate: 6e-4 },
    });
    assert.deepEqual(await rateOf(out), { rate: 6e-5, reason: 'trained', fromScratch: 1e-3 });
  });

  it('is its own where that stayed', async () => {
    const { out } = await trained({
      settings: { ...settings, schedule: 'constant', learningRate: 2e-3 },
    });
    assert.deepEqual(await rateOf(out), { rate: 2e-3, reason: 'constant', fromScratch: 1e-3 });
  });

  it('is taken and told where nobody asks for another, and is of the size alone for random weights', async () => {
    const ours = await trained({ rateIsOurs: true });
    assert.equal(ours.receipt.settings.learningRate, 1e-4);
    assert.match(ours.said, /peak learning rate is 0\.0001, a tenth of the one at which models/);
    const asked = await trained({});
    assert.equal(asked.receipt.settings.learningRate, 1e-3);
    assert.doesNotMatch(asked.said, /peak learning rate/);
    const random = await trained({ rateIsOurs: true, fromScratch: true });
    assert.equal(random.receipt.settings.learningRate, 1e-3);
  });

  it('is that of the size where a receipt is damaged', async () => {
    const folder = join(temporaryFolder(), 'damaged');
    cpSync(example('gpt2-kjv'), folder, { recursive: true });
    writeFileSync(join(folder, 'training.json'), '{"settings": 1}');
    assert.equal((await rateOf(folder)).reason, 'size');
  });

  it('falls with the size', () => {
    assert.deepEqual([1e6, 1.2e8, 4e8, 7e9].map(rateOfSize), [1e-3, 6e-4, 3e-4, 1.2e-4]);
  });
});
