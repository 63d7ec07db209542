import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as g from '../../../src/graph';
import { lower } from '../../../src/graph/lower';
import { assertClose } from '../../support/close';

const operatorsOf = (results: readonly g.Tensor[]): string[] =>
  g.topologicalOrder(results).map(({ op }) => op);

describe('lowering', () => {
  const x = g.input('x', [3, 4]);
  const values = Float32Array.of(0, 0, 0, 0, 1, -1, 90, 89, -200, -300, -250, -201);

  for (const keepdims of [true, false]) {
    it(`computes log Σ eˣ from the softmax${keepdims ? ', its last axis kept' : ''}`, () => {
      const sum = g.reduceLogSumExp(x, keepdims);
      const [lowered] = lower([sum]) as [g.Tensor];
      assert.deepEqual(lowered.shape, sum.shape);
      assert.ok(!operatorsOf([lowered]).includes('ReduceLogSumExp'));
      const [[expected], [actual]] = [
        g.evaluate([sum], { x: values }),
        g.evaluate([lowered], { x: values }),
      ];
      assertClose(actual!, expected!, 1e-12);
    });
  }

  it('shares the softmax with the gradient in a program', () => {
    const loss = g.reduceSum(g.reduceLogSumExp(x));
    const [gradient] = g.gradients(loss, [x]) as [g.Tensor];
    const program = { feeds: [x], frozen: [], state: [], outputs: { loss, gradient } };
    const operators = operatorsOf(g.programResults(g.simplifyProgram(program)));
    assert.deepEqual(
      operators.filter(op => op === 'Softmax' || op === 'ReduceLogSumExp'),
      ['Softmax'],
    );
  });
});
