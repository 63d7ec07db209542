import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { logits, plainWeights, type Weights } from '../../../src/architecture';
import { onnxRuntimeCpu } from '../../../src/engine';
import * as g from '../../../src/graph';
import { grownWeights, spaceSizes, type Growth } from '../../../src/growth';
import { chooseForms, type LinearForm } from '../../../src/growth/linearForm';
import { objectiveGraph } from '../../../src/training';
import { relativeError } from '../../support/close';
import { runOnce } from '../../support/programs';
import {
  randomOperators,
  randomSmall,
  smallModels,
  targets,
  tinyBatch,
  tinyGrowth,
  type TinyBatch,
} from '../../support/tinyGrowth';
import { isDecoder } from '../architecture/fixtures';

const engine = onnxRuntimeCpu({ threads: 2 });
const formsSeen = new Set<LinearForm>();
/** Everything is float64 here but the graph's constants, which are float32 (√½ in GELU's slope). */
const rounding = 1e-6;

/** Notes which form every linear module takes. */
function noting(growth: Growth, weights: Weights): Weights {
  const parameters = new Map(growth.target.parameters.map(entry => [entry.id, entry]));
  return {
    ...weights,
    linear(x, modules) {
      const sizes = modules.map(module => {
        const { spaces } = parameters.get(`${module}.weight`)!;
        const [out, inner] = spaces.map(({ role }) => spaceSizes(growth, role));
        return { in1: inner!.small, in2: inner!.large, out1: out!.small, out2: out!.large };
      });
      for (const form of chooseForms(x.shape[0]!, sizes)) formsSeen.add(form);
      return weights.linear(x, modules);
    },
  };
}

/** Loss and the gradient of every operator, factored or over whole grown matrices. */
function lossAndGradients(growth: Growth, batch: TinyBatch, form: 'factored' | 'plain') {
  const grown = grownWeights(growth);
  const ids = new Set(growth.target.parameters.map(({ id }) => id));
  const whole = plainWeights(id => (ids.has(id) ? grown.tensor(id) : undefined));
  const weights = form === 'factored' ? noting(growth, grown) : whole;
  const { loss } = objectiveGraph(growth.target, weights, batch.feeds);
  const names = [...grown.operators.keys()];
  const inputs = names.map(name => grown.operators.get(name)!);
  return { grown, names, results: g.simplify([loss, ...g.gradients(loss, inputs)]) };
}

/**
 * Softmax ignores what all scores of a query have in common: biases of keys, and of mixed scores. They have
 * no gradient, so neither has their depth operator.
 */
const isIgnored = (name: string): boolean => /^depth\.(k|mixScores)\.bias$/.test(name);

const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

for (const model of smallModels) {
  describe(`a ${model} that grows by factors`, () => {
    for (const [how, target] of Object.entries(targets)) {
      it(`${how} has the loss and operator gradients of the grown matrices`, () => {
        const growth = tinyGrowth(model, target);
        const batch = tinyBatch(growth.target);
        const values = {
          ...randomSmall(growth, 1),
          ...randomOperators(growth, 2),
          ...batch.values,
        };
        const factored = lossAndGradients(growth, batch, 'factored');
        const plain = lossAndGradients(growth, batch, 'plain');
        const found = g.evaluate(factored.results, values);
        const expected = g.evaluate(plain.results, values);
        assert.ok(Math.abs(found[0]![0]! / expected[0]![0]! - 1) < 1e-12, 'loss');
        const largest = Math.max(...expected.slice(1).map(norm));
        factored.names.forEach((name, index) => {
          const floor = isIgnored(name) ? 1e-6 * largest : 0;
          const reference = expected[index + 1]!;
          const error = relativeError(found[index + 1]!, reference, floor);
          assert.ok(error < rounding, `${name}: relative error ${error}`);
          assert.ok(isIgnored(name) || norm(reference) > 1e-6 * largest, `${name}: zero`);
        });
      });
    }

    it('costs no more than building the grown matrices', () => {
      const growth = tinyGrowth(model, targets['in both']);
      const batch = tinyBatch(growth.target);
      const cost = (form: 'factored' | 'plain'): number =>
        g.countFlops(lossAndGradients(growth, batch, form).results).matrix;
      const [factored, plain] = [cost('factored'), cost('plain')];
      // What ELECTRA's head reads does not grow, and at these sizes nothing else is cheaper.
      assert.ok(
        model === 'electra' ? factored <= plain : factored < plain,
        `${factored} and ${plain}`,
      );
    });

    it('does so on ONNX Runtime too, to float32', async () => {
      const growth = tinyGrowth(model, targets['in both']);
      const batch = tinyBatch(growth.target);
      const operators = randomOperators(growth, 5);
      const small = randomSmall(growth, 4);
      const { grown, names, results } = lossAndGradients(growth, batch, 'factored');
      const outputs = Object.fromEntries(['loss', ...names].map((name, i) => [name, results[i]!]));
      const read = [...grown.small.keys()].map(name => [name, small[name]!] as const);
      const computed = await runOnce(
        engine,
        {
          feeds: batch.feeds.tensors,
          frozen: [...grown.small.values(), ...grown.operators.values()],
          state: [],
          outputs,
        },
        batch.values,
        { ...Object.fromEntries(read), ...operators },
      );
      const plain = lossAndGradients(growth, batch, 'plain').results;
      const expected = g.evaluate(plain, { ...small, ...operators, ...batch.values });
      const largest = Math.max(...expected.slice(1).map(norm));
      ['loss', ...names].forEach((name, index) => {
        const floor = isIgnored(name) ? 1e-2 * largest : 0;
        const error = relativeError(computed[name]!, expected[index]!, floor);
        // Heads of two units, as these decoders have, leave fewer digits.
        const most = isDecoder(model) ? 1e-4 : 1e-5;
        assert.ok(error < most, `${name}: relative error ${error}`);
      });
    });
  });
}

describe('the forms a linear module can take', () => {
  it('give the same function with one token and with many', () => {
    for (const [how, batchSize, sequenceLength] of [
      ['in both', 1, 1],
      ['in both', 8, 20],
      ['in its feed-forward size', 1, 1],
      ['in its feed-forward size', 8, 20],
    ] as const) {
      const growth = tinyGrowth('gpt2', targets[how]);
      const batch = tinyBatch(growth.target, { batchSize, sequenceLength, targets: 1 });
      const values = { ...randomSmall(growth, 6), ...randomOperators(growth, 7), ...batch.values };
      const results = (['factored', 'plain'] as const).map(form =>
        g.evaluate(lossAndGradients(growth, batch, form).results, values),
      );
      results[0]!.forEach((found, index) => {
        const expected = results[1]![index]!;
        const floor = 1e-6 * Math.max(...results[1]!.map(norm));
        assert.ok(relativeError(found, expected, floor) < rounding, `${how}, result ${index}`);
      });
    }
  });

  it('were all compared by the tests above', () => {
    assert.deepEqual([...formsSeen].sort(), [
      'factored',
      'materialize',
      'narrowInput',
      'widenOutput',
    ]);
  });
});

describe('logits of some positions only', () => {
  for (const model of ['bert', 'untied bert', 'roberta', 'gpt2'] as const) {
    it(`of a growing ${model} are the rows of all logits`, () => {
      const growth = tinyGrowth(model, targets['in both']);
      const { feeds, values } = tinyBatch(growth.target, { targets: 6 });
      const weights = grownWeights(growth);
      const forward = growth.target.forward(weights, feeds.forward);
      const [some, all] = g.evaluate(
        [logits(forward.readout(feeds.positions)), logits(forward.readout())],
        { ...randomSmall(growth, 8), ...randomOperators(growth, 9), ...values },
      );
      const classes = growth.target.spaceSizes.get('vocabulary')!;
      const expected = Array.from(values['positions']!, position =>
        Array.from(all!.subarray(position * classes, (position + 1) * classes)),
      ).flat();
      assert.ok(relativeError(some!, expected) < 1e-12);
      assert.equal(all!.length, 10 * classes);
    });
  }
});
