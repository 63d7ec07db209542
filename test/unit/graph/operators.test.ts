import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import * as g from '../../../src/graph';
import { assertClose } from '../../support/close';
import { testEngine } from '../../support/engines';
import { uniform } from '../../support/random';
import { operatorCases, type OperatorCase } from './operatorCases';

function inputsOf({ shapes, range = [-1, 1] }: OperatorCase) {
  const tensors = shapes.map((shape, index) => g.input(`x${index}`, shape));
  const feeds = Object.fromEntries(
    shapes.map((shape, index) => [
      `x${index}`,
      uniform(index + 11, g.elementCount(shape), range[0], range[1]),
    ]),
  );
  return { tensors, feeds };
}

const engine = await testEngine({ threads: 1 });
after(() => engine.dispose());

async function runOnEngine(
  results: Record<string, g.Tensor>,
  tensors: readonly g.Tensor[],
  feeds: Record<string, g.TensorData>,
) {
  const program = { feeds: tensors, frozen: [], state: [], outputs: results };
  const executable = await engine.compile(program);
  const outputs = await executable.run(feeds);
  await executable.dispose();
  return outputs;
}

/** A scalar that weighs every element of a result differently, and its gradients. */
function weighedGradients(testCase: OperatorCase) {
  const { tensors, feeds } = inputsOf(testCase);
  const y = testCase.build(...tensors);
  const weights = g.constant(uniform(5, g.elementCount(y.shape)), y.shape);
  const scalar = g.reduceSum(g.mul(y, weights));
  return { tensors, feeds, scalar, gradients: g.gradients(scalar, tensors) };
}

describe('every operator', () => {
  for (const testCase of operatorCases) {
    it(`${testCase.op} ${testCase.name} computes on the engine what the reference computes`, async () => {
      const { tensors, feeds } = inputsOf(testCase);
      const y = testCase.build(...tensors);
      const [expected] = g.evaluate([y], feeds);
      const { result } = await runOnEngine({ result: y }, tensors, feeds);
      assertClose(result!, expected!, 2e-6 * Math.max(1, ...expected!.map(Math.abs)));
    });
  }

  for (const testCase of operatorCases.filter(({ constantGradient }) => !constantGradient)) {
    it(`${testCase.op} ${testCase.name} has the gradient finite differences have`, async () => {
      const { tensors, feeds, scalar, gradients } = weighedGradients(testCase);
      const analytic = g.evaluate(gradients, feeds);
      const onEngine = await runOnEngine(
        Object.fromEntries(gradients.map((gradient, index) => [`d${index}`, gradient])),
        tensors,
        feeds,
      );
      const step = 1e-5;
      tensors.forEach((tensor, index) => {
        const values = Float64Array.from(feeds[`x${index}`]!);
        const at = (element: number, shift: number): number => {
          const moved = values.slice();
          moved[element]! += shift;
          return g.evaluate([scalar], { ...feeds, [`x${index}`]: moved })[0]![0]!;
        };
        const numeric = values.map(
          (_, element) => (at(element, step) - at(element, -step)) / (2 * step),
        );
        const scale = Math.max(1, ...numeric.map(Math.abs));
        assertClose(analytic[index]!, numeric, 1e-7 * scale, `gradient of input ${index}`);
        assertClose(
          onEngine[`d${index}`]!,
          numeric,
          1e-5 * scale,
          `engine's gradient of input ${index}`,
        );
        assert.deepEqual(gradients[index]!.shape, tensor.shape);
      });
    });
  }

  it('is covered by a case, and has a gradient unless its case says otherwise', () => {
    const covered = new Set(operatorCases.map(({ op }) => op));
    const sources = new Set<g.Operator>(['Input', 'Constant']);
    assert.deepEqual(
      g.operators.filter(op => !covered.has(op) && !sources.has(op)),
      [],
    );
    for (const { op, constantGradient } of operatorCases) {
      assert.equal(g.isDifferentiable(op), !constantGradient, op);
    }
  });

  it('refuses a gradient through an operator that has none', () => {
    const x = g.input('x', [3]);
    assert.throws(() => g.gradients(g.reduceSum(g.sign(x)), [x]), /Sign has no derivative/);
  });
});
