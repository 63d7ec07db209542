import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Batch } from '../../../src/data/batches';
import type { Executable } from '../../../src/engine';
import * as g from '../../../src/graph';
import { grownWeights, type Growth } from '../../../src/growth';
import {
  objectiveGraph,
  optimizerFeeds,
  runMicroBatches,
  trainingProgram,
  type TrainingOptions,
} from '../../../src/training';
import { assertClose, relativeError } from '../../support/close';
import { testEngine } from '../../support/engines';
import { withExecutable } from '../../support/programs';
import {
  randomOperators,
  randomSmall,
  targets,
  tinyBatch,
  tinyGrowth,
} from '../../support/tinyGrowth';

const engine = await testEngine({ threads: 1 });
const optimizer = { betas: [0.9, 0.98], epsilon: 1e-6, clipNorm: 0.5 } as const;
const groups = [{ name: 'operators', learningRate: 0.01, weightDecay: 0.1 }];
const updates = 4;

/** A LiGO step of a growth, with batches of `batchSize` sequences. */
function step(growth: Growth, batchSize: number, targetRows: number, options: TrainingOptions) {
  const batch = tinyBatch(growth.target, { batchSize, targets: targetRows });
  const grown = grownWeights(growth);
  const parameters = [...grown.operators.values()].map(input => ({ input, group: 'operators' }));
  return trainingProgram(
    objectiveGraph(growth.target, grown, batch.feeds),
    parameters,
    [...grown.small.values()],
    optimizer,
    options,
  );
}

interface Trained {
  readonly losses: number[];
  readonly norms: number[];
  readonly state: Readonly<Record<string, g.TensorData>>;
}

/** Four updates from random operators. */
async function train(
  growth: Growth,
  program: g.Program,
  update: (
    executable: Executable,
    index: number,
  ) => Promise<{ loss: number; gradientNorm: number }>,
): Promise<Trained> {
  return withExecutable(engine, program, async executable => {
    const small = randomSmall(growth, 1);
    const frozen = program.frozen.map(g.inputName);
    executable.load(Object.fromEntries(frozen.map(name => [name, small[name]!])));
    executable.load(randomOperators(growth, 2));
    const losses: number[] = [];
    const norms: number[] = [];
    for (let index = 0; index < updates; index++) {
      const { loss, gradientNorm } = await update(executable, index);
      losses.push(loss);
      norms.push(gradientNorm);
    }
    return { losses, norms, state: await executable.readState() };
  });
}

/** Updates from one whole batch each. */
const fromWhole =
  (batch: Batch) =>
  async (
    executable: Executable,
    index: number,
  ): Promise<{ loss: number; gradientNorm: number }> => {
    const feeds = optimizerFeeds(groups, optimizer, index + 1, 1 / (index + 1));
    const outputs = await executable.run({ ...batch, ...feeds });
    return { loss: outputs['loss']![0]!, gradientNorm: outputs['gradientNorm']![0]! };
  };

function assertSame(actual: Trained, expected: Trained): void {
  assertClose(actual.losses, expected.losses, 1e-5, 'losses');
  assertClose(actual.norms, expected.norms, 1e-4 * Math.max(...expected.norms), 'norms');
  for (const [name, values] of Object.entries(expected.state)) {
    // The floor is for gradients that are zero but for rounding, as those of key biases.
    assert.ok(relativeError(actual.state[name]!, values, 1e-3) < 1e-4, name);
  }
}

for (const family of ['bert', 'gpt2', 'vit'] as const) {
  describe(`training a ${family} with little memory`, () => {
    const growth = tinyGrowth(family, { ...targets['in both'], numHiddenLayers: 6 });

    it('recomputes layers to the same losses and operators', async () => {
      const { values } = tinyBatch(growth.target, { batchSize: 2, targets: 4 });
      const kept = step(growth, 2, 4, {});
      const recomputed = step(growth, 2, 4, { recomputeLayers: true });
      assertSame(
        await train(growth, recomputed, fromWhole(values)),
        await train(growth, kept, fromWhole(values)),
      );
      const flops = (program: g.Program) => g.countFlops(g.programResults(program)).matrix;
      assert.ok(flops(recomputed) > 1.1 * flops(kept));
    });

    it('needs fewer bytes for activations when it recomputes layers', () => {
      const peak = (options: TrainingOptions): number =>
        g.peakBytes(g.programResults(step(growth, 32, 64, options)));
      assert.ok(peak({ recomputeLayers: true }) < 0.6 * peak({}));
    });
  });
}

describe('gradient accumulation', () => {
  const growth = tinyGrowth('bert', targets['in both']);
  const sequenceLength = 5;

  /** Two sequences with targets of unequal weight, and the same two one by one. */
  function batches(): { whole: Batch; parts: Batch[] } {
    const { values } = tinyBatch(growth.target, { batchSize: 2, targets: 4 });
    const whole: Batch = {
      ...values,
      positions: Int32Array.of(1, 3, 6, 8),
      weights: Float32Array.of(1, 1, 1, 0),
    };
    const parts = [0, 1].map((index): Batch => {
      const rows = [2 * index, 2 * index + 2] as const;
      return {
        input_ids: whole['input_ids']!.slice(index * sequenceLength, (index + 1) * sequenceLength),
        positions: whole['positions']!.slice(...rows).map(row => row - index * sequenceLength),
        targets: whole['targets']!.slice(...rows),
        weights: whole['weights']!.slice(...rows),
      };
    });
    return { whole, parts };
  }

  const { whole, parts } = batches();
  const feedsAt = (index: number) => (part: { share: number; last: boolean }) =>
    optimizerFeeds(groups, optimizer, index + 1, 1 / (index + 1), part);
  const accumulating = step(growth, 1, 2, { accumulate: true });

  it('makes the updates of one large batch', async () => {
    const expected = await train(growth, step(growth, 2, 4, {}), fromWhole(whole));
    const actual = await train(growth, accumulating, (executable, index) =>
      runMicroBatches(executable, parts, feedsAt(index)),
    );
    assertSame(actual, expected);
  });

  it('changes nothing but the sums until the last part', async () => {
    const run = (executable: Executable) =>
      executable.run({ ...parts[0]!, ...feedsAt(0)({ share: 0.5, last: false }) });
    const trained = await train(growth, accumulating, async executable => {
      await run(executable);
      return { loss: 0, gradientNorm: 0 };
    });
    const operators = randomOperators(growth, 2);
    for (const [name, values] of Object.entries(trained.state)) {
      if (name.startsWith('gradient.'))
        assert.ok(
          values.some(value => value !== 0),
          name,
        );
      else assertClose(values, operators[name] ?? new Float32Array(values.length), 0, name);
    }
  });

  it('begins anew after an update', async () => {
    const { state } = await train(growth, accumulating, (executable, index) =>
      runMicroBatches(executable, parts, feedsAt(index)),
    );
    const sums = Object.keys(state).filter(name => name.startsWith('gradient.'));
    assert.ok(sums.length > 0);
    for (const name of sums)
      assert.ok(
        state[name]!.every(value => value === 0),
        name,
      );
  });
});
