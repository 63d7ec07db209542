import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Batch } from '../../../src/data/batches';
import { onnxRuntimeCpu, type Executable, type NamedData } from '../../../src/engine';
import { DeviceError } from '../../../src/errors';
import * as g from '../../../src/graph';
import {
  keepInMemory,
  runTrainingLoop,
  trainingProgram,
  type AdamWOptions,
  type KeepState,
  type StepReport,
  type TrainingLoop,
} from '../../../src/training';
import { withExecutable, zeroMoments } from '../../support/programs';
import { uniform } from '../../support/random';
import { handMadeBatches } from './handMade';

const engine = onnxRuntimeCpu({ threads: 1 });
const optimizer: AdamWOptions = { betas: [0.9, 0.98], epsilon: 1e-6, clipNorm: 1 };
const groups = [{ name: 'all', learningRate: 0.05, weightDecay: 0.01 }];
const schedule = { kind: 'linear', steps: 10, warmup: 2 } as const;

/** A linear model of four weights: mean of √((x W − y)² + offset) − √offset … at offset 0, |x W − y|. */
const program = ((): g.Program => {
  const w = g.input('w', [4, 1]);
  const [x, y, offset] = [g.input('x', [8, 4]), g.input('y', [8, 1]), g.input('offset', [])];
  const error = g.sub(g.gemm(x, w), y);
  const loss = g.reduceSum(g.sqrt(g.add(g.mul(error, error), offset)));
  const objective = { feeds: [x, y, offset], loss, predictions: loss, logits: loss };
  return trainingProgram(objective, [{ input: w, group: 'all' }], [], optimizer);
})();

const truth = [1, -2, 0.5, 3];

/** Inputs that differ in every step, and what the true weights make of them. */
function batchOf(step: number): Batch {
  const x = uniform(1000 + step, 32);
  const y = Float32Array.from({ length: 8 }, (_, row) =>
    truth.reduce((sum, weight, column) => sum + weight * x[row * 4 + column]!, 0),
  );
  return { x, y, offset: Float32Array.of(0.1) };
}

const start = { w: Float32Array.of(0.1, 0.2, 0.3, 0.4), ...zeroMoments(program) };

/** An executable that only says a loss; its state is how often it ran, or what `state` says. */
function answering(
  loss: (runs: number) => number,
  state: (runs: number) => number = runs => runs,
): Executable {
  let runs = 0;
  const read = () => Promise.resolve({ w: Float32Array.of(state(runs)) });
  return {
    stateNames: ['w'],
    load: () => undefined,
    run: () =>
      Promise.resolve({
        loss: Float32Array.of(loss(++runs)),
        gradientNorm: Float32Array.of(1),
      }),
    readState: read,
    takeState: read,
    dispose: () => Promise.resolve(),
  };
}

interface Run {
  readonly result: Awaited<ReturnType<typeof runTrainingLoop>>;
  readonly reports: readonly StepReport[];
}

/** Runs the loop on a fresh executable from a state. */
function run(change: Partial<TrainingLoop> = {}, state: NamedData = start): Promise<Run> {
  return withExecutable(engine, program, async executable => {
    executable.load(state);
    const reports: StepReport[] = [];
    const result = await runTrainingLoop({
      executable,
      batches: handMadeBatches(batchOf),
      groups,
      optimizer,
      schedule,
      start: 0,
      keepEvery: 4,
      signal: new AbortController().signal,
      onStep: report => void reports.push(report),
      ...change,
    });
    return { result, reports };
  });
}

/** Stops the loop after a number of updates. */
async function stoppedAfter(updates: number): Promise<Run> {
  const controller = new AbortController();
  const reports: StepReport[] = [];
  const { result } = await run({
    signal: controller.signal,
    onStep: report => {
      reports.push(report);
      if (report.step === updates) controller.abort();
    },
  });
  return { result, reports };
}

const spoiledAt = (bad: number, spoil: (batch: Batch) => Batch): TrainingLoop['batches'] =>
  handMadeBatches(step => (step === bad ? spoil(batchOf(step)) : batchOf(step)));
const withNaN = (batch: Batch): Batch => ({ ...batch, y: new Float32Array(8).fill(NaN) });

describe('a training loop that finishes', () => {
  it('makes every step of the schedule and learns', async () => {
    const { result, reports } = await run();
    assert.equal(result.outcome, 'finished');
    assert.equal(result.step, 10);
    assert.deepEqual(
      reports.map(({ step }) => step),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    );
    assert.ok(reports.at(-1)!.loss < reports[0]!.loss);
    assert.deepEqual(Object.keys(result.state).sort(), ['adam.m.w', 'adam.v.w', 'w']);
    assert.notDeepEqual(result.state['w'], start.w);
  });

  it('reports the rate of each group, the gradient norm and the time of each step', async () => {
    const { reports } = await run();
    assert.deepEqual(reports[0]!.learningRate, { all: 0.05 / 3 });
    assert.deepEqual(reports[2]!.learningRate, { all: 0.05 });
    assert.deepEqual(reports[6]!.learningRate, { all: 0.05 * 0.5 });
    for (const { gradientNorm, seconds } of reports) {
      assert.ok(gradientNorm > 0 && gradientNorm < 100);
      assert.ok(seconds > 0 && seconds < 10);
    }
  });

  it('waits for its listener, and fails with it', async () => {
    let busy = false;
    const slow = async (): Promise<void> => {
      assert.ok(!busy);
      busy = true;
      await new Promise(resolve => setTimeout(resolve, 2));
      busy = false;
    };
    assert.equal((await run({ onStep: slow })).result.outcome, 'finished');
    const failing = (): void => {
      throw new Error('The disk is full');
    };
    await assert.rejects(run({ onStep: failing }), /The disk is full/);
  });

  it('lets timers and messages through between steps, however quick those are', async () => {
    let turns = 0;
    let pending = setImmediate(function turn() {
      turns++;
      pending = setImmediate(turn);
    });
    const before: number[] = [];
    const executable = answering(() => 1);
    await run({ executable, onStep: () => void before.push(turns) });
    clearImmediate(pending);
    assert.deepEqual(
      before.map((count, index) => index === 0 || count > before[index - 1]!),
      before.map(() => true),
    );
  });
});

describe('a training loop that is interrupted', () => {
  it('stops before the next step and gives back the state it has reached', async () => {
    const { result, reports } = await stoppedAfter(3);
    assert.equal(result.outcome, 'interrupted');
    assert.equal(result.step, 3);
    assert.equal(reports.length, 3);
    const three = await run({ batches: spoiledAt(4, withNaN), keepEvery: 3 });
    assert.deepEqual(result.state, three.result.state);
  });

  it('makes no step when it was stopped before it began', async () => {
    const { result, reports } = await run({ signal: AbortSignal.abort() });
    assert.equal(result.outcome, 'interrupted');
    assert.equal(result.step, 0);
    assert.equal(reports.length, 0);
    assert.deepEqual(result.state, start);
  });

  it('goes on later to exactly the numbers of a run that was never stopped', async () => {
    const whole = await run();
    for (const updates of [1, 4, 9]) {
      const first = await stoppedAfter(updates);
      assert.equal(first.result.step, updates);
      const second = await run({ start: updates }, first.result.state);
      assert.equal(second.result.outcome, 'finished');
      assert.deepEqual(second.result.state, whole.result.state);
      const losses = [...first.reports, ...second.reports].map(({ step, loss }) => [step, loss]);
      assert.deepEqual(
        losses,
        whole.reports.map(({ step, loss }) => [step, loss]),
      );
    }
  });
});

describe('a training loop that diverges', () => {
  it('gives back the last state it kept, not the spoiled one', async () => {
    const { result, reports } = await run({ batches: spoiledAt(6, withNaN) });
    assert.equal(result.outcome, 'diverged');
    assert.equal(result.step, 4);
    assert.equal(reports.length, 6);
    assert.deepEqual(result.state, (await stoppedAfter(4)).result.state);
  });

  it('gives back where it began when nothing was kept yet', async () => {
    const { result } = await run({ batches: spoiledAt(2, withNaN) });
    assert.deepEqual(
      { ...result, state: { ...result.state } },
      {
        outcome: 'diverged',
        step: 0,
        state: start,
      },
    );
    const resumed = await stoppedAfter(5);
    const again = await run({ start: 5, batches: spoiledAt(6, withNaN) }, resumed.result.state);
    assert.equal(again.result.step, 5);
    assert.deepEqual(again.result.state, resumed.result.state);
  });

  it('gives back no state whose own loss is no number, finite as its weights may be', async () => {
    // The loss of the fifth step is that of the weights that were copied after the fourth.
    const { result } = await run({ batches: spoiledAt(4, withNaN), keepEvery: 2 });
    assert.equal(result.step, 2);
    assert.deepEqual(result.state, (await stoppedAfter(2)).result.state);
  });

  it('notices a gradient that is no number under a loss that is one', async () => {
    // √0 has no slope: the loss is finite, its gradient is ∞ · 0.
    const flat = (batch: Batch): Batch => ({
      ...batch,
      x: new Float32Array(32),
      y: new Float32Array(8),
      offset: Float32Array.of(0),
    });
    const asked: number[] = [];
    const batches = handMadeBatches(step => {
      asked.push(step);
      return step === 5 ? flat(batchOf(step)) : batchOf(step);
    });
    const { result, reports } = await run({ batches });
    assert.equal(asked.at(-1), 5, 'no step is made with spoiled weights');
    assert.equal(reports.at(-1)!.loss, 0);
    assert.equal(result.outcome, 'diverged');
    assert.equal(result.step, 4);
  });

  it('notices weights that the very last update made infinite', async () => {
    const { result } = await run({
      groups: [{ name: 'all', learningRate: 1e39, weightDecay: 0 }],
      schedule: { kind: 'constant', steps: 1, warmup: 0 },
    });
    assert.equal(result.outcome, 'diverged');
    assert.equal(result.step, 0);
    assert.deepEqual(result.state, start);
  });

  it('never keeps a state that holds infinite weights', async () => {
    // Finite losses up to the sixth run, but what is read after the fourth is spoiled.
    const executable = answering(
      runs => (runs > 5 ? NaN : 1),
      runs => (runs === 4 ? Infinity : runs),
    );
    const { result } = await run({ executable, keepEvery: 2 });
    assert.equal(result.outcome, 'diverged');
    assert.deepEqual(result.state, { w: Float32Array.of(2) });
    assert.equal(result.step, 2);
  });
});

describe('where a training loop keeps states', () => {
  /** Keeps states by number, and says what was done with them. */
  function recording(refuse: (kept: number) => boolean = () => false) {
    const told: string[] = [];
    let count = 0;
    const keep: KeepState = async tensors => {
      const number = ++count;
      if (refuse(number)) return undefined;
      told.push(`keep ${number}`);
      const kept = (await keepInMemory(tensors))!;
      return { read: kept.read, forget: async () => void told.push(`forget ${number}`) };
    };
    return { keep, told };
  }

  it('is asked to forget a state once the loss of a newer one is known, and all at the end', async () => {
    const { keep, told } = recording();
    const { result } = await run({ keep, startState: async () => start });
    assert.equal(result.outcome, 'finished');
    assert.deepEqual(told, ['keep 1', 'keep 2', 'forget 1', 'forget 2']);
  });

  it('gives back what a diverged run falls back to', async () => {
    const { keep, told } = recording();
    const { result } = await run({
      ...{ keep, startState: async () => start, batches: spoiledAt(6, withNaN) },
    });
    assert.equal(result.step, 4);
    assert.deepEqual(result.state, (await stoppedAfter(4)).result.state);
    assert.deepEqual(told, ['keep 1', 'forget 1']);
  });

  it('may refuse: then an older state is fallen back to', async () => {
    const { keep } = recording(() => true);
    const { result } = await run({
      ...{ keep, startState: async () => start, batches: spoiledAt(6, withNaN) },
    });
    assert.deepEqual([result.outcome, result.step], ['diverged', 0]);
    assert.deepEqual(result.state, start);
  });
});

describe('a training loop whose device fails', () => {
  const lost = new DeviceError('The graphics device was lost.', 'Run again with --resume.');

  it('gives back the last state it kept, and why it ended', async () => {
    const { result } = await withExecutable(engine, program, async executable => {
      executable.load(start);
      let runs = 0;
      const failing: Executable = {
        ...executable,
        stateNames: executable.stateNames,
        load: values => executable.load(values),
        readState: names => executable.readState(names),
        takeState: () => executable.takeState(),
        run: feeds => (++runs > 6 ? Promise.reject(lost) : executable.run(feeds)),
      };
      return run({ executable: failing });
    });
    assert.deepEqual([result.outcome, result.step], ['failed', 4]);
    assert.equal(result.failure, lost);
    assert.deepEqual(result.state, (await stoppedAfter(4)).result.state);
  });

  it('ends with any other error as it is, for that is a defect', async () => {
    const defect = new Error('a defect');
    const failing = { ...answering(() => 1), run: () => Promise.reject(defect) };
    await assert.rejects(run({ executable: failing }), defect);
  });
});

describe('a training loop whose updates read several batches', () => {
  it('reads each batch once, in order, and applies what they add up to at the last', async () => {
    const asked: number[] = [];
    const batches = handMadeBatches(step => {
      asked.push(step);
      // The second batch of each pair has three times the targets' weight.
      return { weights: Float32Array.of(step % 2 === 0 ? 1 : 3) };
    });
    const fed: NamedData[] = [];
    const executable: Executable = {
      ...answering(() => 1),
      run: feeds => {
        fed.push(feeds);
        const loss = Float32Array.of(fed.length % 2 === 1 ? 1 : 2);
        return Promise.resolve({ loss, gradientNorm: Float32Array.of(fed.length) });
      },
    };
    const { result, reports } = await run({
      executable,
      batches,
      batchesPerUpdate: 2,
      start: 8,
      schedule,
    });
    assert.deepEqual(asked, [16, 17, 18, 19]);
    assert.deepEqual([result.outcome, result.step], ['finished', 10]);
    assert.deepEqual(
      reports.map(({ step, loss, gradientNorm }) => [step, loss, gradientNorm]),
      [
        [9, 1.75, 2],
        [10, 1.75, 4],
      ],
    );
    assert.deepEqual(
      fed.map(feeds => [feeds['optimizer.share']![0], feeds['optimizer.apply']![0]]),
      [
        [0.25, 0],
        [0.75, 1],
        [0.25, 0],
        [0.75, 1],
      ],
    );
  });
});
