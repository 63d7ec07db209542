import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { InterruptedError, UnsupportedError } from '../../../src/errors';
import { apply } from '../../../src/run/grow/apply';
import { evaluateCheckpoint } from '../../../src/run/score/evaluate';
import { grow, type GrowRequest } from '../../../src/run/grow/grow';
import { ligoDefaults } from '../../../src/run/settings';
import { example } from '../../support/fixtures';
import { bible, clothes, contents, entries, failure, recorded, temporaryFolder } from './support';

const folder = temporaryFolder();
// Batches are so small that the usual rates do not lower the loss in a few steps.
const slow = { widthLearningRate: 1e-3, depthLearningRate: 5e-3 };
const request: Omit<GrowRequest, 'out'> = {
  checkpoint: example('gpt2-kjv'),
  target: { layers: 4, hidden: 80 },
  method: 'mango',
  data: bible,
  settings: { ...ligoDefaults('mango'), ...slow, steps: 8, warmup: 1 },
  seed: 0,
};
const wider = { layers: 4, hidden: 64 };

describe('growing by mango', () => {
  for (const [model, changes] of [
    ['gpt2-kjv', {}],
    ['bert-kjv', { checkpoint: example('bert-kjv') }],
    ['vit-fmnist', { checkpoint: example('vit-fmnist'), data: clothes, target: wider }],
  ] as const) {
    it(`learns on ${model}, and writes what it measured`, async () => {
      const out = join(folder, model);
      const task = { ...request, ...changes };
      const { losses, method, drift } = await grow(recorded().context, { ...task, out });
      assert.equal(method.settings['mapping'], 'mango');
      // The classifier starts so close to its goal that so few images need not bring it nearer.
      if (model !== 'vit-fmnist') assert.ok(losses!.after.loss < losses!.before!.loss);
      assert.ok(drift!.operators['width.blocks']! > 0 && drift!.operators['width.in']! > 0);
      const written = { checkpoint: out, data: task.data! };
      const { loss } = await evaluateCheckpoint(recorded().context, written);
      assert.ok(Math.abs(loss - losses!.after.loss) < 1e-5, `${loss} and ${losses!.after.loss}`);
    });
  }

  it('is repeated by its operators, byte for byte', async () => {
    const { checkpoint, target } = request;
    const operators = join(folder, 'gpt2-kjv', 'operators.safetensors');
    const out = join(folder, 'applied');
    await apply(recorded().context, { checkpoint, target, operators, out });
    const [applied, grown] = [contents(out), contents(join(folder, 'gpt2-kjv'))];
    for (const name of ['model.safetensors', 'operators.safetensors', 'config.json']) {
      assert.equal(applied[name], grown[name], name);
    }
  });

  it('goes on where it was stopped and ends with the same bytes', async () => {
    const place = temporaryFolder();
    const out = join(place, 'out');
    const stopping = recorded((event, stop) => {
      if (event.type === 'step' && event.step === 2) stop();
    });
    await failure(
      grow(stopping.context, { ...request, out }),
      InterruptedError,
      /^Stopped after 2 of 8 steps/,
    );
    await grow(recorded().context, { ...request, out, resume: true });
    assert.deepEqual(entries(place), ['out']);
    assert.deepEqual(contents(out), contents(join(folder, 'gpt2-kjv')));
  });

  it('is refused before anything is written where blocks do not fit', async () => {
    const target = { layers: 4, hidden: 80, ffn: 400 };
    const out = join(folder, 'refused');
    await failure(
      grow(recorded().context, { ...request, target, out }),
      UnsupportedError,
      /^mango keeps the 4 blocks of a feed-forward matrix/,
    );
    const operators = join(folder, 'gpt2-kjv', 'operators.safetensors');
    const { checkpoint } = request;
    await failure(
      apply(recorded().context, { checkpoint, target, operators, out }),
      UnsupportedError,
      /^mango keeps the 4 blocks of a feed-forward matrix/,
    );
    assert.ok(!entries(folder).includes('refused'));
  });
});
