import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openTfjs } from '../../../src/engine/tfjs';
import { DeviceError } from '../../../src/errors';
import * as g from '../../../src/graph';
import { assertClose } from '../../support/close';
import { runOnce, withExecutable } from '../../support/programs';
import { uniform } from '../../support/random';
import { failure } from '../../support/userError';
import { forgetStandIn, packagesFolder, tf, writeStandIn } from './tfjsStandIn';

const cpu = await openTfjs({ backend: 'cpu' });
const wasm = await openTfjs({ backend: 'wasm' });
const engines = { cpu, wasm } as const;

/** Two layers learned by plain gradient descent: state, frozen values, feeds of both types. */
function learning(): { program: g.Program; kept: Record<string, Float32Array>; feeds: object } {
  const rows = g.input('rows', [6], 'int32');
  const rate = g.input('rate', []);
  const table = g.input('table', [10, 8]);
  const hidden = g.input('hidden', [8, 12]);
  const out = g.input('out', [12, 4]);
  const loss = g.reduceMean(
    g.reduceLogSumExp(g.gemm(g.gelu(g.gemm(g.gather(table, rows), hidden)), out)),
    [0],
  );
  const learned = [hidden, out];
  const gradients = g.gradients(loss, learned);
  return {
    program: g.simplifyProgram({
      feeds: [rows, rate],
      frozen: [table],
      state: learned.map((input, index) => ({
        input,
        next: g.sub(input, g.mul(rate, gradients[index]!)),
      })),
      outputs: { loss },
    }),
    kept: { table: uniform(1, 80), hidden: uniform(2, 96), out: uniform(3, 48) },
    feeds: { rows: Int32Array.of(0, 3, 3, 9, 1, 2), rate: Float32Array.of(0.1) },
  };
}

for (const [name, engine] of Object.entries(engines)) {
  describe(`TensorFlow.js on ${name}`, () => {
    it('says what computes', () => {
      assert.deepEqual(engine.description, {
        name: 'tfjs',
        device: `CPU (TensorFlow.js 4.22.0, ${name})`,
      });
    });

    it('holds as many tensors after run 200 as after run 5, and none when let go', async () => {
      const before = tf.memory();
      const { program, kept, feeds } = learning();
      await withExecutable(engine, program, async executable => {
        executable.load(kept);
        executable.load(kept);
        const held = [];
        for (let run = 1; run <= 200; run++) {
          await executable.run({ ...feeds });
          if (run === 5 || run === 200) held.push(tf.memory());
        }
        const [early, late] = held;
        assert.ok(early!.numTensors > before.numTensors);
        assert.equal(late!.numTensors, early!.numTensors);
        assert.equal(late!.numDataBuffers, early!.numDataBuffers);
        assert.equal(late!.numBytes, early!.numBytes);
      });
      assert.equal(tf.memory().numTensors, before.numTensors);
      assert.equal(tf.memory().numDataBuffers, before.numDataBuffers);
    });

    it('frees a value after its last reader', async () => {
      const x = g.input('x', [1000]);
      let y = x;
      for (let count = 0; count < 100; count++) y = g.tanh(y);
      const program = { feeds: [x], frozen: [], state: [], outputs: { y } };
      await withExecutable(engine, program, async executable => {
        const before = tf.memory().numTensors;
        const feeds = { x: uniform(1, 1000) };
        const { kernels } = await tf.profile(async () => {
          await executable.run(feeds);
          return [];
        });
        assert.equal(kernels.length, 100, 'one kernel a node');
        const most = Math.max(...kernels.map(kernel => kernel.totalTensorsSnapshot));
        assert.equal(most - before, 3, 'what was fed, what is read, what is written');
      });
    });

    it('frees pieces that nobody reads', async () => {
      const x = g.input('x', [6, 2]);
      const pieces = g.split(x, 0, [1, 2, 3]);
      const y = g.tanh(g.neg(pieces[1]!));
      const program = { feeds: [x], frozen: [], state: [], outputs: { y } };
      await withExecutable(engine, program, async executable => {
        const before = tf.memory().numTensors;
        const { kernels } = await tf.profile(async () => {
          await executable.run({ x: uniform(1, 12) });
          return [];
        });
        assert.equal(kernels.at(-1)!.name, 'Tanh');
        assert.equal(kernels.at(-1)!.totalTensorsSnapshot - before, 3);
        assert.equal(tf.memory().numTensors, before);
      });
    });

    it('keeps a state that becomes what was fed, when the caller fills its buffer anew', async () => {
      const [fed, last] = [g.input('fed', [2]), g.input('last', [2])];
      const program: g.Program = {
        feeds: [fed],
        frozen: [],
        state: [{ input: last, next: fed, startsAtZero: true }],
        outputs: { last },
      };
      await withExecutable(engine, program, async executable => {
        const buffer = Float32Array.of(1, 2);
        await executable.run({ fed: buffer });
        buffer.fill(-1);
        assert.deepEqual((await executable.readState())['last'], Float32Array.of(1, 2));
        assert.deepEqual((await executable.run({ fed: buffer }))['last'], Float32Array.of(1, 2));
      });
    });

    it('gives two states that become one value a hold of their own', async () => {
      const [a, b] = [g.input('a', [2]), g.input('b', [2])];
      const next = g.add(a, b);
      const program: g.Program = {
        feeds: [],
        frozen: [],
        state: [
          { input: a, next },
          { input: b, next },
        ],
        outputs: {},
      };
      await withExecutable(engine, program, async executable => {
        executable.load({ a: Float32Array.of(1, 2), b: Float32Array.of(3, 4) });
        await executable.run({});
        executable.load({ a: Float32Array.of(0, 0) });
        await executable.run({});
        const sums = Float32Array.of(4, 6);
        assert.deepEqual(await executable.readState(), { a: sums, b: sums });
      });
    });

    /** Forms of operators that no model of the golden tests has. */
    const rows = g.input('rows', [4, 1, 1], 'int32');
    const places = g.input('places', [2, 3], 'int32');
    const cases: Record<string, { shapes: g.Shape[]; build: (...x: g.Tensor[]) => g.Tensor }> = {
      'matrices broadcast on both sides': {
        shapes: [
          [2, 1, 3, 4],
          [1, 5, 4, 2],
        ],
        build: (a, b) => g.matMul(a!, b!),
      },
      'matrices broadcast the other way round': {
        shapes: [
          [1, 5, 3, 4],
          [2, 1, 4, 2],
        ],
        build: (a, b) => g.matMul(a!, b!),
      },
      'one matrix times many': {
        shapes: [
          [3, 4],
          [2, 5, 4, 2],
        ],
        build: (a, b) => g.matMul(a!, b!),
      },
      'rows added to others': {
        shapes: [
          [5, 2, 3],
          [4, 2, 3],
        ],
        build: (x, updates) => g.scatterElements(x!, g.expand(rows, [4, 2, 3]), updates!),
      },
      'rows added to constants': {
        shapes: [[4, 2, 3]],
        build: updates =>
          g.scatterElements(
            g.constant(uniform(9, 30), [5, 2, 3]),
            g.expand(rows, [4, 2, 3]),
            updates!,
          ),
      },
      'elements added to others': {
        shapes: [
          [4, 3],
          [2, 3],
        ],
        build: (x, updates) => g.scatterElements(x!, places, updates!),
      },
      'elements added to zeros': {
        shapes: [[2, 3]],
        build: updates => g.scatterElements(g.expand(g.scalar(0), [4, 3]), places, updates!),
      },
      'elements picked': { shapes: [[4, 3]], build: x => g.gatherElements(x!, places) },
      'elements of a vector picked': {
        shapes: [[4]],
        build: x => g.gatherElements(x!, g.reshape(places, [6])),
      },
    };
    for (const [what, { shapes, build }] of Object.entries(cases)) {
      it(`computes what the reference computes: ${what}`, async () => {
        const inputs = shapes.map((shape, index) => g.input(`x${index}`, shape));
        const y = build(...inputs);
        const feeds = {
          ...Object.fromEntries(
            shapes.map((shape, index) => [`x${index}`, uniform(index, g.elementCount(shape))]),
          ),
          rows: Int32Array.of(4, 0, 4, 2),
          places: Int32Array.of(3, 0, 1, 3, 3, 0),
        };
        const program = { feeds: [...inputs, rows, places], frozen: [], state: [], outputs: { y } };
        const found = await runOnce(engine, program, feeds);
        const [expected] = g.evaluate([y], feeds);
        assertClose(found['y']!, expected!, 1e-6);
      });
    }
  });
}

describe('TensorFlow.js', () => {
  it('keeps two backends of one process apart', async () => {
    const { program, kept, feeds } = learning();
    const alone = await withExecutable(cpu, program, async executable => {
      executable.load(kept);
      return [await executable.run({ ...feeds }), await executable.run({ ...feeds })];
    });
    await withExecutable(cpu, program, one =>
      withExecutable(wasm, program, async other => {
        one.load(kept);
        other.load(kept);
        for (const expected of alone) {
          const [here, there] = await Promise.all([one.run({ ...feeds }), other.run({ ...feeds })]);
          assert.deepEqual(here, expected);
          assertClose(there['loss']!, expected['loss']!, 1e-6);
          assert.equal(tf.getBackend(), 'wasm');
        }
      }),
    );
  });

  it('reports that the device is out of memory, with the state as it was and nothing left', async () => {
    const packages = packagesFolder();
    writeStandIn(packages.folder, 'tfjs-node-gpu', { seesGpu: true });
    try {
      const engine = await openTfjs({ backend: 'gpu', folder: packages.folder });
      const x = g.input('x', [2]);
      const program: g.Program = {
        feeds: [],
        frozen: [],
        state: [{ input: x, next: g.tanh(g.add(x, 1)) }],
        outputs: {},
      };
      await withExecutable(engine, program, async executable => {
        executable.load({ x: Float32Array.of(1, 2) });
        const before = tf.memory().numTensors;
        const { kernelFunc } = tf.getKernel('Tanh', 'tensorflow');
        const replace = (compute: typeof kernelFunc): void => {
          tf.unregisterKernel('Tanh', 'tensorflow');
          tf.registerKernel({
            kernelName: 'Tanh',
            backendName: 'tensorflow',
            kernelFunc: compute,
          });
        };
        const fails = (says: string) => () => {
          throw new Error(says);
        };
        replace(fails('Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[2]'));
        await failure(
          executable.run({}),
          DeviceError,
          /^TensorFlow ran out of memory: OOM when allocating tensor/,
        );
        replace(fails('Invalid TF_Status: 13\nMessage: no kernel image'));
        await failure(executable.run({}), DeviceError, /^TensorFlow refused a step: no kernel/);
        replace(fails('a defect of ours'));
        await assert.rejects(executable.run({}), { name: 'Error', message: 'a defect of ours' });
        assert.equal(tf.memory().numTensors, before);
        assert.deepEqual(await executable.readState(), { x: Float32Array.of(1, 2) });
        replace(kernelFunc);
        await executable.run({});
        assertClose((await executable.readState())['x']!, [Math.tanh(2), Math.tanh(3)], 1e-6);
      });
    } finally {
      forgetStandIn();
      packages.remove();
    }
  });
});
