import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { onnxRuntimeCpu } from '../../../src/engine';
import { freeGarbage } from '../../../src/engine/onnxruntime/garbage';
import * as g from '../../../src/graph';
import { testEngine } from '../../support/engines';
import { uniform } from '../../support/random';
import { withExecutable } from '../../support/programs';

const engine = await testEngine({ threads: 2 });
after(() => engine.dispose());

const x = g.input('x', [3]);
const weights = g.input('weights', [3]);
const sum = g.input('sum', [3]);

/** sum ← sum + x · weights; gives the largest of the new sums. */
const accumulator = (): g.Program => {
  const next = g.add(sum, g.mul(x, weights));
  return {
    feeds: [x],
    frozen: [weights],
    state: [{ input: sum, next }],
    outputs: { largest: g.reduceMax(next) },
  };
};

const feeds = { x: Float32Array.of(1, 2, 3) };
const kept = (): { weights: Float32Array; sum: Float32Array } => ({
  weights: Float32Array.of(1, 10, 100),
  sum: Float32Array.of(0.5, 0, 0),
});

describe('an executable on ONNX Runtime', () => {
  it('keeps its state from run to run', async () => {
    await withExecutable(engine, accumulator(), async executable => {
      executable.load(kept());
      for (const [largest, state] of [
        [300, [1.5, 20, 300]],
        [600, [2.5, 40, 600]],
        [900, [3.5, 60, 900]],
      ] as const) {
        const outputs = await executable.run(feeds);
        assert.deepEqual(outputs, { largest: Float32Array.of(largest) });
        assert.deepEqual(await executable.readState(), { sum: Float32Array.from(state) });
      }
    });
  });

  it('needs no value for state that starts at zero, and takes one all the same', async () => {
    const { state, ...rest } = accumulator();
    const program = { ...rest, state: state.map(entry => ({ ...entry, startsAtZero: true })) };
    await withExecutable(engine, g.simplifyProgram(program), async executable => {
      executable.load({ weights: kept().weights });
      assert.deepEqual(await executable.readState(), { sum: new Float32Array(3) });
      await executable.run(feeds);
      assert.deepEqual((await executable.readState())['sum'], Float32Array.of(1, 20, 300));
      executable.load({ sum: Float32Array.of(5, 5, 5) });
      await executable.run(feeds);
      assert.deepEqual((await executable.readState())['sum'], Float32Array.of(6, 25, 305));
    });
  });

  it('exchanges two states without losing either', async () => {
    const [a, b] = [g.input('a', [2]), g.input('b', [2])];
    const program: g.Program = {
      feeds: [],
      frozen: [],
      state: [
        { input: a, next: b },
        { input: b, next: a },
      ],
      outputs: {},
    };
    await withExecutable(engine, program, async executable => {
      executable.load({ a: Float32Array.of(1, 2), b: Float32Array.of(3, 4) });
      for (let run = 1; run <= 5; run++) {
        await executable.run({});
        const [first, second] = run % 2 === 1 ? ['b', 'a'] : ['a', 'b'];
        const state = await executable.readState();
        assert.deepEqual(state[first!], Float32Array.of(1, 2), `run ${run}`);
        assert.deepEqual(state[second!], Float32Array.of(3, 4), `run ${run}`);
        assert.deepEqual(await executable.readState(['a']), { a: state['a'] });
      }
    });
  });

  it('reads state that later runs, and its reader, do not change', async () => {
    await withExecutable(engine, accumulator(), async executable => {
      executable.load(kept());
      await executable.run(feeds);
      const read = await executable.readState();
      await executable.run(feeds);
      assert.deepEqual(read['sum'], Float32Array.of(1.5, 20, 300));
      read['sum']!.fill(-1);
      assert.deepEqual((await executable.readState())['sum'], Float32Array.of(2.5, 40, 600));
    });
  });

  it('gives its state out of hand at the end', async () => {
    await withExecutable(engine, accumulator(), async executable => {
      assert.deepEqual(executable.stateNames, ['sum']);
      executable.load(kept());
      await executable.run(feeds);
      const read = await executable.readState();
      assert.deepEqual(await executable.takeState(), read);
    });
  });

  it('gives outputs that later runs do not change, also of state itself', async () => {
    const next = g.add(sum, 1);
    const program: g.Program = {
      feeds: [],
      frozen: [],
      state: [{ input: sum, next }],
      outputs: { before: sum, next, shown: g.reshape(sum, [1, 3]) },
    };
    await withExecutable(engine, program, async executable => {
      executable.load({ sum: Float32Array.of(0, 0, 0) });
      const first = await executable.run({});
      const second = await executable.run({});
      await executable.run({});
      assert.deepEqual(first['before'], Float32Array.of(0, 0, 0));
      assert.deepEqual(first['shown'], Float32Array.of(0, 0, 0));
      assert.deepEqual(first['next'], Float32Array.of(1, 1, 1));
      assert.deepEqual(second['before'], Float32Array.of(1, 1, 1));
      assert.deepEqual(second['next'], Float32Array.of(2, 2, 2));
    });
  });

  it('never writes to what it was given', async () => {
    const given = kept();
    const x1 = Float32Array.of(1, 2, 3);
    await withExecutable(engine, accumulator(), async executable => {
      executable.load(given);
      await executable.run({ x: x1 });
      await executable.run({ x: x1 });
    });
    assert.deepEqual(given, kept());
    assert.deepEqual(x1, Float32Array.of(1, 2, 3));
  });

  it('starts again from newly loaded state, and takes new frozen values', async () => {
    await withExecutable(engine, accumulator(), async executable => {
      executable.load(kept());
      await executable.run(feeds);
      executable.load({ sum: Float32Array.of(7, 7, 7) });
      assert.deepEqual((await executable.run(feeds))['largest'], Float32Array.of(307));
      executable.load({ weights: Float32Array.of(0, 0, 0) });
      assert.deepEqual((await executable.run(feeds))['largest'], Float32Array.of(307));
      assert.deepEqual((await executable.readState())['sum'], Float32Array.of(8, 27, 307));
    });
  });

  it('refuses what does not fit: names, sizes, types, missing values', async () => {
    const index = g.input('index', [2], 'int32');
    const program: g.Program = { ...accumulator(), feeds: [x, index] };
    await withExecutable(engine, program, async executable => {
      const fed = { ...feeds, index: Int32Array.of(0, 1) };
      await assert.rejects(executable.run(fed), /"weights" was never loaded/);
      await assert.rejects(executable.readState(), /"sum" was never loaded/);
      executable.load({ weights: kept().weights });
      await assert.rejects(executable.run(fed), /"sum" was never loaded/);
      executable.load(kept());
      assert.throws(() => executable.load({ x: feeds.x }), /keeps no input "x"/);
      assert.throws(
        () => executable.load({ sum: new Float32Array(4) }),
        /"sum" takes \[3\], got 4 values/,
      );
      assert.throws(() => executable.load({ sum: new Int32Array(3) }), /"sum" takes float32/);
      // Nothing of what does not fit as a whole is kept.
      const half = { sum: Float32Array.of(9, 9, 9), weights: new Float32Array(4) };
      assert.throws(() => executable.load(half), /"weights" takes \[3\]/);
      await assert.rejects(executable.run(feeds), /was not fed "index"/);
      await assert.rejects(executable.run({ ...fed, x: new Float32Array(2) }), /"x" takes \[3\]/);
      await assert.rejects(
        executable.run({ ...fed, index: new Float32Array(2) }),
        /"index" takes int32/,
      );
      assert.deepEqual((await executable.readState())['sum'], kept().sum);
      assert.deepEqual((await executable.run(fed))['largest'], Float32Array.of(300));
    });
  });

  it('is not disturbed by another executable of the same program', async () => {
    await withExecutable(engine, accumulator(), one =>
      withExecutable(engine, accumulator(), async other => {
        const shared = kept();
        one.load(shared);
        other.load({ weights: shared.weights, sum: Float32Array.of(0, 0, 1000) });
        await one.run(feeds);
        await other.run(feeds);
        await one.run(feeds);
        assert.deepEqual((await one.readState())['sum'], Float32Array.of(2.5, 40, 600));
        assert.deepEqual((await other.readState())['sum'], Float32Array.of(1, 20, 1300));
      }),
    );
  });

  it('does not run after it was disposed of', async () => {
    const executable = await engine.compile(accumulator());
    executable.load(kept());
    await executable.run(feeds);
    await executable.dispose();
    await assert.rejects(executable.run(feeds), /never loaded/);
  });

  it('gives identical bits for identical feeds, in one executable and in two', async () => {
    const [m, w] = [g.input('m', [64, 96]), g.input('w', [96, 80])];
    const y = g.softmax(g.gemm(m, w));
    const program: g.Program = { feeds: [m], frozen: [w], state: [], outputs: { y } };
    const given = { m: uniform(1, 64 * 96) };
    const runs: unknown[] = [];
    for (let time = 0; time < 2; time++) {
      await withExecutable(engine, program, async executable => {
        executable.load({ w: uniform(2, 96 * 80) });
        runs.push((await executable.run(given))['y'], (await executable.run(given))['y']);
      });
    }
    for (const run of runs.slice(1)) assert.deepEqual(run, runs[0]);
  });

  it('leaves no memory behind in a thousand runs', async () => {
    const size = 65_536;
    const [moving, swapped] = [g.input('moving', [size]), g.input('swapped', [size])];
    const program: g.Program = {
      feeds: [],
      frozen: [],
      state: [
        { input: moving, next: g.add(moving, 1) },
        { input: swapped, next: g.tanh(swapped) },
      ],
      outputs: { mean: g.reduceMean(moving, [0]) },
    };
    const bytes = (): number => {
      // What V8 has not come to collect yet is no leak.
      freeGarbage();
      return process.memoryUsage().rss;
    };
    await withExecutable(engine, program, async executable => {
      executable.load({ moving: new Float32Array(size), swapped: new Float32Array(size) });
      for (let run = 0; run < 200; run++) await executable.run({});
      const before = bytes();
      for (let run = 0; run < 1000; run++) await executable.run({});
      // One leaked buffer a run would be 262 MB.
      const grown = bytes() - before;
      assert.ok(grown < 32e6, `${grown} bytes more after 1000 runs`);
      assert.deepEqual((await executable.run({}))['mean'], Float32Array.of(1200));
    });
  });

  it('says which device it runs on', () => {
    const { name, device } = onnxRuntimeCpu({ threads: 3 }).description;
    assert.equal(name, 'cpu');
    assert.match(device, /^CPU, 3 threads \(ONNX Runtime \d+\.\d+\.\d+\)$/);
    assert.match(onnxRuntimeCpu({ threads: 1 }).description.device, /^CPU, 1 thread \(/);
  });

  it('refuses a program that reads what it does not declare', async () => {
    await assert.rejects(engine.compile({ ...accumulator(), frozen: [] }), /reads "weights"/);
  });
});
