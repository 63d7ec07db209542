import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { NamedData } from '../../../src/engine';
import { InterruptedError } from '../../../src/errors';
import type { TrainingStage } from '../../../src/growth';
import { openModel, readParameters } from '../../../src/run/model';
import { withData, withEngine } from '../../../src/run/resources';
import { defaultTrainSettings } from '../../../src/run/settings';
import { train, type TrainingReceipt, type TrainRequest } from '../../../src/run/train';
import { trainModel, type TrainingState } from '../../../src/run/trainModel';
import { example } from '../../support/fixtures';
import { bible, contents, entries, failure, recorded, temporaryFolder } from './support';

const settings = { ...defaultTrainSettings, steps: 6, warmup: 1 };
const request: Omit<TrainRequest, 'out'> = {
  ...{ checkpoint: example('gpt2-kjv'), data: bible, settings, seed: 0 },
};
const model = await openModel(example('gpt2-kjv'));
await model.checkpoint.close();
const { architecture } = model;
const ids = architecture.parameters.filter(({ used }) => used).map(({ id }) => id);
const initial = await (async () => {
  const opened = await openModel(example('gpt2-kjv'));
  try {
    return await readParameters(opened);
  } finally {
    await opened.checkpoint.close();
  }
})();

/** Trains the example in stages, from its own values unless told from where. */
function trained(stages: readonly TrainingStage[], start?: TrainingState, stopAt?: number) {
  const { context } = recorded();
  const controller = new AbortController();
  return withEngine(context, (engine, memory) =>
    withData(engine, model, bible, data =>
      trainModel(engine, {
        ...{ architecture, data, settings, memory, stages, evaluateEvery: 2 },
        start: start ?? { step: 0, seconds: 0, tensors: initial, curve: [] },
        signal: controller.signal,
        onStep: ({ step }) => {
          if (step === stopAt) controller.abort();
        },
      }),
    ),
  );
}

const same = (a: NamedData, b: NamedData, names: readonly string[]): void => {
  for (const name of names) assert.deepEqual(a[name], b[name], name);
};
const moments = (id: string): string[] => [`adam.m.${id}`, `adam.v.${id}`];
/** The layer on top, and what comes after it. */
const top = ids.filter(id => id.startsWith('layers.2.') || id.startsWith('final.'));
const below = ids.filter(id => !top.includes(id));

describe('training in stages', () => {
  it('changes nothing when every stage trains everything', async () => {
    const whole = await trained([]);
    const halves = await trained([
      { share: 0.5, trains: ids },
      { share: 0.5, trains: ids },
    ]);
    same(halves.tensors, whole.tensors, ids);
    assert.deepEqual(
      halves.curve.map(({ loss }) => loss),
      whole.curve.map(({ loss }) => loss),
    );
    assert.equal(halves.flops, whole.flops);
  });

  it('leaves alone what a stage does not train, at less cost', async () => {
    assert.ok(top.length > 0 && below.length > 0);
    const partial = await trained([{ share: 1, trains: top }]);
    same(partial.tensors, initial, below);
    for (const id of top) assert.notDeepEqual(partial.tensors[id], initial[id], id);
    const whole = await trained([]);
    assert.ok(partial.flops < whole.flops);
    assert.deepEqual(
      below.flatMap(moments).filter(name => partial.tensors[name]),
      [],
    );
  });

  it('starts the moments of what begins to train later as a first step does', async () => {
    // From the fourth step all train. Adam’s first step is of the size of the learning rate.
    const stages = [
      { share: 0.5, trains: top },
      { share: 0.5, trains: ids },
    ];
    const before = await trained(stages, undefined, 3);
    assert.deepEqual([before.outcome, before.step], ['interrupted', 3]);
    same(before.tensors, initial, below);
    const after = await trained(stages, before, 4);
    assert.equal(after.step, 4);
    // 5 of 6 warm steps are left at the fourth update: cosine of 2/5 of the way.
    const rate = 0.5 * (1 + Math.cos((Math.PI * 2) / 5)) * settings.learningRate;
    const id = 'layers.0.fc1.bias';
    assert.ok(below.includes(id), `${id} is one of ${below.join(', ')}`);
    const steps = after.tensors[id]!.map((value, index) => Math.abs(value - initial[id]![index]!));
    const largest = Math.max(...steps);
    assert.ok(Math.abs(largest / rate - 1) < 0.02, `moved by ${largest}, the rate is ${rate}`);
  });

  it('goes on where it was stopped, within a stage and between two', async () => {
    const stages = [
      { share: 0.5, trains: top },
      { share: 0.5, trains: ids },
    ];
    const whole = await trained(stages);
    for (const stopAt of [2, 3, 4]) {
      const first = await trained(stages, undefined, stopAt);
      assert.equal(first.step, stopAt);
      const second = await trained(stages, first);
      same(second.tensors, whole.tensors, Object.keys(whole.tensors));
      assert.equal(second.flops, whole.flops);
      const losses = (curve: typeof whole.curve) => curve.map(({ step, loss }) => [step, loss]);
      assert.deepEqual(losses(second.curve), losses(whole.curve));
    }
  });
});

describe('ligo train', () => {
  const receiptIn = (folder: string): TrainingReceipt =>
    JSON.parse(readFileSync(join(folder, 'training.json'), 'utf8')) as TrainingReceipt;

  it('evaluates on the way when asked to, and keeps the curve', async () => {
    const out = join(temporaryFolder(), 'out');
    const { context, events } = recorded();
    await train(context, { ...request, out, evaluateEvery: 4 });
    const receipt = receiptIn(out);
    assert.deepEqual(
      receipt.curve?.map(({ step }) => step),
      [0, 4, 6],
    );
    assert.equal(receipt.curve?.[0]?.loss, receipt.before.loss);
    assert.equal(receipt.curve?.at(-1)?.loss, receipt.after.loss);
    assert.equal(receipt.curve?.at(-1)?.flops, receipt.flops.total);
    const told = events.flatMap(event =>
      event.type === 'evaluation' && event.model === 'training' ? [event.step] : [],
    );
    assert.deepEqual(told, [4, 6]);
  });

  it('keeps the curve of a run that was stopped', async () => {
    const folder = temporaryFolder();
    const [whole, out] = [join(folder, 'whole'), join(folder, 'out')];
    const own = { ...request, evaluateEvery: 2 };
    await train(recorded().context, { ...own, out: whole });
    const { context } = recorded((event, stop) => {
      if (event.type === 'step' && event.step === 4) stop();
    });
    await failure(train(context, { ...own, out }), InterruptedError, /^Stopped after 4 of 6/);
    await train(recorded().context, { ...own, out, resume: true });
    const losses = (folder: string) =>
      receiptIn(folder).curve?.map(({ step, loss, flops }) => [step, loss, flops]);
    assert.deepEqual(losses(out), losses(whole));
  });

  it('saves a state on the way that a killed run goes on from', async () => {
    const folder = temporaryFolder();
    const [whole, out] = [join(folder, 'whole'), join(folder, 'out')];
    await train(recorded().context, { ...request, out: whole });
    const killed = recorded(event => {
      // As if the process ended here: nothing of ours runs afterwards.
      if (event.type === 'step' && event.step === 5) throw new Error('killed');
    });
    await assert.rejects(train(killed.context, { ...request, out, saveEvery: 2 }), /killed/);
    assert.deepEqual(entries(folder), ['out.run', 'whole']);
    const resumed = recorded();
    await train(resumed.context, { ...request, out, resume: true });
    const steps = resumed.events.flatMap(event => (event.type === 'step' ? [event.step] : []));
    assert.deepEqual(steps, [5, 6]);
    assert.deepEqual(contents(out), contents(whole));
  });

  it('begins with random weights of the same sizes when asked to', async () => {
    const folder = temporaryFolder();
    const [out, again] = [join(folder, 'out'), join(folder, 'again')];
    const own = { ...request, fromScratch: true };
    await train(recorded().context, { ...own, out });
    const { before, fromScratch } = receiptIn(out);
    assert.equal(fromScratch, true);
    // As good as guessing among 1024 tokens.
    assert.ok(Math.abs(before.loss - Math.log(1024)) < 0.2, `${before.loss}`);
    await train(recorded().context, { ...own, out: again });
    assert.deepEqual(contents(again), contents(out));
  });
});
