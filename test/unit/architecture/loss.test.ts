import { test } from 'node:test';
import { crossEntropy, logits } from '../../../src/architecture';
import { constant, evaluate } from '../../../src/graph';
import { assertClose } from '../../support/close';
import { uniform } from '../../support/random';

const [rows, width, classes] = [5, 3, 4];
const features = constant(uniform(1, rows * width), [rows, width]);
const table = constant(uniform(2, classes * width), [classes, width]);
const bias = constant(uniform(3, classes));
const targets = Int32Array.of(0, 3, 2, 2, 1);
const weights = Float32Array.of(1, 0, 0.5, 2, 0);

for (const withBias of [true, false]) {
  test(`cross-entropy ${withBias ? 'with' : 'without'} bias is the weighted mean of −log softmax`, () => {
    const readout = { features, table, bias: withBias ? bias : undefined };
    const { loss, perRow } = crossEntropy(readout, constant(targets), constant(weights));
    const [scores, lossValue, rowValues] = evaluate([logits(readout), loss, perRow], {});
    const expected = Array.from(targets, (target, row) => {
      const values = scores!.subarray(row * classes, (row + 1) * classes);
      const total = values.reduce((sum, value) => sum + Math.exp(value), 0);
      return Math.log(total) - values[target]!;
    });
    assertClose(rowValues!, expected, 1e-6, 'loss of each row');
    const weighted = expected.reduce((sum, value, row) => sum + value * weights[row]!, 0);
    assertClose(lossValue!, [weighted / 3.5], 1e-6, 'mean');
  });
}
