import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { InterruptedError, UsageError, UserError } from '../../../src/errors';
import type { Receipt, RunEvent } from '../../../src/protocol/events';
import { evaluateCheckpoint } from '../../../src/run/score/evaluate';
import { grow, type GrowRequest } from '../../../src/run/grow/grow';
import { defaultTrainSettings } from '../../../src/run/settings';
import { train, type TrainRequest } from '../../../src/run/train/train';
import { example } from '../../support/fixtures';
import {
  bible,
  contents,
  entries,
  failure,
  recorded,
  shortSettings,
  temporaryFolder,
} from './support';
import { remedyText } from '../../support/remedyText';

const growth: Omit<GrowRequest, 'out'> = {
  checkpoint: example('gpt2-kjv'),
  target: { layers: 4, hidden: 80 },
  method: 'ligo',
  data: bible,
  settings: shortSettings(6),
  seed: 0,
};
const training: Omit<TrainRequest, 'out'> = {
  checkpoint: example('gpt2-kjv'),
  data: bible,
  settings: { ...defaultTrainSettings, steps: 6, warmup: 1 },
  seed: 0,
};

/** Stops a run as by Ctrl-C at the first event that matches. */
const stopAt = (matches: (event: RunEvent) => boolean) =>
  recorded((event, stop) => {
    if (matches(event)) stop();
  });
const atStep = (step: number) => (event: RunEvent) => event.type === 'step' && event.step === step;
const savedSteps = (events: readonly RunEvent[]): number[] =>
  events.flatMap(event => (event.type === 'saved' ? [event.step] : []));
const receiptOf = (out: string): Receipt =>
  JSON.parse(readFileSync(join(out, 'growth.json'), 'utf8')) as Receipt;
const atScores = (model: string) => (event: RunEvent) =>
  event.type === 'evaluation' && event.model === model;

const whole = temporaryFolder();
before(async () => {
  await grow(recorded().context, { ...growth, out: join(whole, 'out') });
});

describe('a growth that is stopped', () => {
  it('goes on with --resume and ends with the same bytes', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'out');
    const first = stopAt(atStep(2));
    const error = await failure(
      grow(first.context, { ...growth, out }),
      InterruptedError,
      /^Stopped after 2 of 6 steps/,
    );
    assert.match(remedyText(error.remedy), /--resume/);
    assert.deepEqual(entries(folder), ['out.run']);

    const second = stopAt(atStep(4));
    const again = grow(second.context, { ...growth, out, resume: true });
    await failure(again, InterruptedError, /^Stopped after 4 of 6 steps/);
    const steps = second.events.flatMap(event => (event.type === 'step' ? [event.step] : []));
    assert.deepEqual(steps, [3, 4]);

    await grow(recorded().context, { ...growth, out, resume: true });
    assert.deepEqual(entries(folder), ['out']);
    assert.deepEqual(contents(out), contents(join(whole, 'out')));
    assert.deepEqual(receiptOf(out).resumedAfter, [2, 4]);
    assert.ok(!('resumedAfter' in receiptOf(join(whole, 'out'))));
  });

  it('saves its learning on the way, to go on from when it is killed', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'out');
    const killed = recorded(event => {
      if (event.type === 'step' && event.step === 5) throw new Error('killed');
    });
    const job = grow(killed.context, { ...growth, out, saveEvery: 2 });
    await assert.rejects(job, /killed/);
    assert.deepEqual(savedSteps(killed.events), [2, 4]);
    const { context, events } = recorded();
    await grow(context, { ...growth, out, saveEvery: 2, resume: true });
    assert.deepEqual(
      events.flatMap(event => (event.type === 'step' ? [event.step] : [])),
      [5, 6],
    );
    assert.deepEqual(savedSteps(events), []);
    assert.deepEqual(contents(out), contents(join(whole, 'out')));
    assert.deepEqual(receiptOf(out).resumedAfter, [4]);
  });

  it('goes on when a state cannot be saved on the way, and says so once', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'out');
    writeFileSync(join(folder, 'out.run'), 'a file in the way');
    const { context, events } = recorded();
    const job = grow(context, { ...growth, out, saveEvery: 2 });
    const { warnings } = await job;
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /^The state after step 2 could not be saved: .*out\.run is a file/);
    assert.deepEqual(savedSteps(events), []);
  });

  it('saves nothing on the way by a method that takes no steps', async () => {
    const request = { ...growth, data: undefined, method: 'stack' as const, saveEvery: 2 };
    const job = grow(recorded().context, { ...request, out: join(temporaryFolder(), 'out') });
    await failure(job, UsageError, /takes no steps, so there is nothing to save/);
  });

  for (const [when, matches] of [
    ['in the evaluation after training', atStep(6)],
    ['while the result is written', atScores('after')],
  ] as const) {
    it(`${when} keeps its training, and nothing is half-written`, async () => {
      const folder = temporaryFolder();
      const out = join(folder, 'out');
      const { context, events } = stopAt(matches);
      await failure(grow(context, { ...growth, out }), InterruptedError, /^Stopped after training/);
      assert.deepEqual(entries(folder), ['out.run']);
      assert.ok(events.some(event => event.type === 'saved' && event.step === 6));

      const resumed = recorded();
      await grow(resumed.context, { ...growth, out, resume: true });
      assert.ok(!resumed.events.some(event => event.type === 'step'));
      assert.deepEqual(contents(out), contents(join(whole, 'out')));
    });
  }

  it('before its training leaves nothing', async () => {
    const folder = temporaryFolder();
    const { context } = stopAt(event => event.type === 'device');
    const job = grow(context, { ...growth, out: join(folder, 'out') });
    await failure(job, InterruptedError, /^Stopped; nothing was written/);
    assert.deepEqual(entries(folder), []);
  });

  it('without learning leaves nothing', async () => {
    const folder = temporaryFolder();
    const { context } = stopAt(event => event.type === 'device');
    const request = { ...growth, data: undefined, method: 'stack' as const };
    const job = grow(context, { ...request, out: join(folder, 'out') });
    await failure(job, InterruptedError, /^Stopped; nothing was written/);
    assert.deepEqual(entries(folder), []);
  });

  it('is not resumed when there is nothing to resume', async () => {
    const folder = temporaryFolder();
    const job = grow(recorded().context, { ...growth, out: join(folder, 'out'), resume: true });
    await failure(job, UserError, /^There is no stopped run to resume/);
    assert.deepEqual(entries(folder), []);
  });

  it('is not resumed with other settings, and its state stays', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'out');
    await failure(grow(stopAt(atStep(2)).context, { ...growth, out }), InterruptedError, /2 of 6/);
    const changes: readonly (readonly [Partial<GrowRequest>, RegExp])[] = [
      [{ seed: 1 }, /: the seed was 0 and is 1 now\.$/],
      [{ settings: shortSettings(7) }, /: the number of steps was 6 and is 7 now\.$/],
      [
        { settings: shortSettings(6, { accumulate: 2 }) },
        /the number of batches in an update was not given and is 2 now/,
      ],
      [
        { data: { ...bible, separator: 'none' } },
        /: what stands between lines was "newline" and is "none" now\.$/,
      ],
      [{ data: { ...bible, batchSize: 2 } }, /the batch was 4 and is 2 now/],
      [{ target: { layers: 5, hidden: 80 } }, /: the target’s n_layer was 4 and is 5 now\.$/],
    ];
    for (const [change, names] of changes) {
      const job = grow(recorded().context, { ...growth, ...change, out, resume: true });
      const error = await failure(
        job,
        UserError,
        /belongs to a run with other settings, data or checkpoint: /,
      );
      assert.match(error.message, names);
      assert.deepEqual(entries(folder), ['out.run']);
    }
  });
});

describe('training that is stopped', () => {
  it('goes on with --resume and ends with the same bytes', async () => {
    const folder = temporaryFolder();
    await train(recorded().context, { ...training, out: join(folder, 'whole') });
    const out = join(folder, 'out');
    const job = train(stopAt(atStep(3)).context, { ...training, out });
    await failure(job, InterruptedError, /^Stopped after 3 of 6 steps/);
    const changed = { ...training.settings, learningRate: 5e-4 };
    await failure(
      train(recorded().context, { ...training, settings: changed, out, resume: true }),
      UserError,
      /other settings, data or checkpoint: the learning rate was 0\.001 and is 0\.0005 now\.$/,
    );
    await train(recorded().context, { ...training, out, resume: true });
    assert.deepEqual(entries(folder), ['out', 'whole']);
    assert.deepEqual(contents(out), contents(join(folder, 'whole')));
  });

  it('while its result is written keeps its training', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'out');
    const job = train(stopAt(atScores('after')).context, { ...training, out });
    await failure(job, InterruptedError, /^Stopped after training/);
    assert.deepEqual(entries(folder), ['out.run']);
    await train(recorded().context, { ...training, out, resume: true });
    assert.deepEqual(entries(folder), ['out']);
  });
});

describe('an evaluation that is stopped', () => {
  it('says so', async () => {
    const { context } = stopAt(event => event.type === 'device');
    const job = evaluateCheckpoint(context, { checkpoint: growth.checkpoint, data: bible });
    await failure(job, InterruptedError, /^Stopped/);
  });
});

describe('a run whose loss stops being a number', () => {
  it('fails with the last good state kept', async () => {
    const folder = temporaryFolder();
    const { context, events } = recorded();
    const settings = shortSettings(6, { widthLearningRate: 1e30, depthLearningRate: 1e30 });
    const job = grow(context, { ...growth, settings, out: join(folder, 'out') });
    const error = await failure(job, UserError, /^The loss stopped being a number after step 0/);
    assert.match(remedyText(error.remedy), /--learning-rate/);
    assert.deepEqual(entries(folder), ['out.run']);
    assert.ok(events.some(event => event.type === 'saved'));
    const state = join(folder, 'out.run', 'state.safetensors');
    assert.ok(readFileSync(state).length > 0);
  });
});

describe('a growth that collapses', () => {
  it('warns, and the receipt says so', async () => {
    const out = join(temporaryFolder(), 'out');
    const { context, events } = recorded();
    const settings = shortSettings(6, { widthLearningRate: 3, depthLearningRate: 3, warmup: 0 });
    const receipt = await grow(context, { ...growth, settings, out });
    const warning = events.find(event => event.type === 'warning');
    assert.match(warning?.type === 'warning' ? warning.message : '', /^The grown model collapsed/);
    assert.ok(receipt.warnings.some(text => text.startsWith('The grown model collapsed')));
    assert.ok(receipt.losses!.after.loss > receipt.losses!.small.loss);
  });
});
