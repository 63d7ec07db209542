import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { NamedData } from '../../../src/engine';
import { InterruptedError, UsageError } from '../../../src/errors';
import type { TrainingStage } from '../../../src/growth';
import { openModel, readParameters } from '../../../src/run/open/model';
import { defaultTrainSettings, type TrainSettings } from '../../../src/run/settings';
import { train, type TrainRequest } from '../../../src/run/train/train';
import type { TrainingReceipt } from '../../../src/run/write/trainingReceipt';
import { trainModel, type TrainingState } from '../../../src/run/train/trainModel';
import { assertClose } from '../../support/close';
import { example } from '../../support/fixtures';
import { bible, contents, entries, failure, recorded, temporaryFolder } from './support';
import { withData, withEngine } from '../../support/opened';

const shortSettings = { ...defaultTrainSettings, steps: 6, warmup: 1 };
const request: Omit<TrainRequest, 'out'> = {
  ...{ checkpoint: example('gpt2-kjv'), data: bible, settings: shortSettings, seed: 0 },
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
function trained(
  stages: readonly TrainingStage[],
  start?: TrainingState,
  stopAt?: number,
  settings = shortSettings,
) {
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
    const rate = 0.5 * (1 + Math.cos((Math.PI * 2) / 5)) * shortSettings.learningRate;
    const id = 'layers.0.fc1.bias';
    assert.ok(below.includes(id), `${id} is one of ${below.join(', ')}`);
    const steps = after.tensors[id]!.map((value, index) => Math.abs(value - initial[id]![index]!));
    const largest = Math.max(...steps);
    assert.ok(Math.abs(largest / rate - 1) < 0.02, `moved by ${largest}, the rate is ${rate}`);
  });

  it('warms up what begins to train later, and nothing else', async () => {
    const settings = { ...shortSettings, steps: 40, schedule: 'constant' as const };
    const stages = [
      { share: 0.25, trains: top },
      { share: 0.75, trains: ids },
    ];
    const rates: Record<string, number>[] = [];
    const { context } = recorded();
    await withEngine(context, (engine, memory) =>
      withData(engine, model, bible, data =>
        trainModel(engine, {
          ...{ architecture, data, settings, memory, stages },
          start: { step: 0, seconds: 0, tensors: initial, curve: [] },
          signal: new AbortController().signal,
          onStep: ({ step, learningRate }) => {
            rates.push({ ...learningRate });
            return step === 18 ? 'finish' : undefined;
          },
        }),
      ),
    );
    // 30 steps are left, and a fifth of them is less than the 100 that Adam's own memory asks for.
    const sevenths = (group: string) =>
      rates.slice(9).map(rate => ((rate[group] ?? 0) * 7) / settings.learningRate);
    assertClose(sevenths('matrices'), [7, 7, 7, 7, 7, 7, 7, 7, 7], 1e-12, 'rates');
    assertClose(sevenths('matrices.from10'), [0, 1, 2, 3, 4, 5, 6, 7, 7], 1e-12, 'rates');
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

describe('ligo train that computes a part of the network', () => {
  const options: Readonly<Record<string, Partial<TrainSettings>>> = {
    'token drop': { tokenDrop: 0.25 },
    'layer drop': { layerDrop: 0.5 },
    'a sub-network at first': { subNetwork: { steps: 3, layers: 1 } },
    'all of them, with accumulation and recomputation': {
      ...{ tokenDrop: 0.25, layerDrop: 0.5, subNetwork: { steps: 3 } },
      ...{ accumulate: 2, recompute: true },
    },
  };
  const receiptIn = (folder: string): TrainingReceipt =>
    JSON.parse(readFileSync(join(folder, 'training.json'), 'utf8')) as TrainingReceipt;
  const weights = (folder: string) => contents(folder)['model.safetensors'];
  const losses = (folder: string) =>
    receiptIn(folder).curve?.map(({ step, loss, flops }) => [step, loss, flops]);
  const own = (changes: Partial<TrainSettings>) => ({
    ...request,
    settings: { ...shortSettings, ...changes },
    evaluateEvery: 2,
  });
  const { accumulate, recompute, ...everything } =
    options['all of them, with accumulation and recomputation']!;
  assert.ok(accumulate && recompute);

  for (const [name, changes] of Object.entries(options)) {
    it(`gives the same bytes when it was stopped: ${name}`, async () => {
      const folder = temporaryFolder();
      const [whole, out] = [join(folder, 'whole'), join(folder, 'out')];
      await train(recorded().context, { ...own(changes), out: whole });
      for (const stopAt of [2, 3]) {
        const { context } = recorded((event, stop) => {
          if (event.type === 'step' && event.step === stopAt) stop();
        });
        const stopped = train(context, { ...own(changes), out, overwrite: true });
        await failure(stopped, InterruptedError, /^Stopped after/);
        await train(recorded().context, { ...own(changes), out, overwrite: true, resume: true });
        assert.deepEqual(weights(out), weights(whole));
        assert.deepEqual(losses(out), losses(whole));
      }
    });
  }

  it('costs what the receipt says of its stages, less than the whole network', async () => {
    const folder = temporaryFolder();
    const [plain, out] = [join(folder, 'plain'), join(folder, 'out')];
    await train(recorded().context, { ...own({}), out: plain });
    await train(recorded().context, { ...own(everything), out });
    const { flops, stages, settings } = receiptIn(out);
    assert.equal(receiptIn(plain).stages, undefined);
    const perStep = receiptIn(plain).flops.perStep;
    assert.deepEqual(
      stages?.map(({ begin, end, layers, droppedTokens }) => [begin, end, layers, droppedTokens]),
      [
        [0, 1, 2, 0],
        [1, 3, 2, 0],
        [3, 6, 3, 4],
      ],
    );
    assert.deepEqual(
      stages?.map(({ droppedSequences }) => droppedSequences),
      [
        [0, 0],
        [0, 1],
        [0, 1, 1],
      ],
    );
    for (const stage of stages!) assert.ok(stage.flopsPerStep < perStep, `${stage.begin}`);
    const total = stages!.reduce(
      (sum, { begin, end, flopsPerStep }) => sum + (end - begin) * flopsPerStep,
      0,
    );
    assert.equal(flops.total, total);
    assert.deepEqual(settings.subNetwork, { steps: 3 });
    assert.deepEqual(
      receiptIn(out).before,
      receiptIn(plain).before,
      'held-out scores are of the whole network',
    );
  });

  it('leaves the layers above a sub-network as they were until its steps are over', async () => {
    const settings = { ...shortSettings, subNetwork: { steps: 3, layers: 1 } };
    const three = await trained([], undefined, 3, settings);
    assert.equal(three.step, 3);
    const above = ids.filter(id => /^layers\.[12]\./.test(id));
    const rest = ids.filter(id => !above.includes(id));
    same(three.tensors, initial, above);
    for (const id of rest) assert.notDeepEqual(three.tensors[id], initial[id], id);
    const four = await trained([], three, 4, settings);
    for (const id of above) assert.notDeepEqual(four.tensors[id], initial[id], id);
  });

  it('refuses what leaves nothing out or too much, before anything is computed', async () => {
    const refused: readonly [Partial<TrainSettings>, RegExp][] = [
      [{ tokenDrop: 1 }, /^The share of tokens to drop is 1; it must be above 0 and below 1/],
      [{ tokenDrop: 0.02 }, /^A share of 0.02 of 16 tokens a sequence leaves out none/],
      [{ tokenDrop: 0.99 }, /leaves out all but special ones/],
      [{ layerDrop: -0.1 }, /^The share of layers to drop is -0.1/],
      [{ layerDrop: 0.05 }, /^A share of 0.05 leaves out no layer for any of 4 sequences/],
      [{ subNetwork: { steps: 6, layers: 1 } }, /for 6 of 6 steps, which leaves none/],
      [
        { subNetwork: { steps: 2, layers: 3 } },
        /^A sub-network of 3 layers is no part of a model of 3/,
      ],
    ];
    for (const [changes, says] of refused) {
      const out = join(temporaryFolder(), 'out');
      const { context, events } = recorded();
      await failure(train(context, { ...own(changes), out }), UsageError, says);
      assert.ok(!events.some(({ type }) => type === 'evaluation' || type === 'step'), `${says}`);
    }
  });
});
