import * as g from '../../../src/graph';
import { randomGenerator } from '../../../src/random';
import { uniform } from '../../support/random';

/** A small random computation and values for what it reads. */
export interface RandomGraph {
  readonly inputs: readonly g.Tensor[];
  readonly results: readonly g.Tensor[];
  readonly feeds: Record<string, Float32Array>;
}

const side = 3;
const matrix = [side, side];

/**
 * Grows a graph of 3 × 3 matrices node by node. Operands are drawn from everything made so far, so
 * that results are shared, repeated and forgotten; neutral constants make identities likely. All
 * operators are smooth and bounded, so that values stay comparable to rounding.
 */
export function randomGraph(seed: number, nodes = 30): RandomGraph {
  const random = randomGenerator(seed, 0x67726170);
  const inputs = [g.input('a', matrix), g.input('b', matrix), g.input('c', [side])];
  const constants = [
    g.constant(new Float32Array(9), matrix),
    g.constant(new Float32Array(9).fill(1), matrix),
    g.constant(uniform(seed + 1, 9), matrix),
    g.constant(uniform(seed + 1, 9), matrix),
  ];
  const made: g.Tensor[] = [inputs[0]!, inputs[1]!, ...constants];
  const column = g.reshape(inputs[2]!, [side, 1]);
  const pick = (): g.Tensor => made[random.integer(made.length)]!;
  const neutral = (): number => [0, 1, 0.5][random.integer(3)]!;
  const builders: (() => g.Tensor)[] = [
    () => g.add(pick(), pick()),
    () => g.add(pick(), inputs[2]!),
    () => g.add(pick(), neutral()),
    () => g.add(0, pick()),
    () => g.sub(pick(), neutral()),
    () => g.mul(g.tanh(pick()), g.tanh(pick())),
    () => g.mul(neutral(), pick()),
    () => g.div(pick(), random.integer(2) + 1),
    () => g.neg(pick()),
    () => g.tanh(pick()),
    () => g.sigmoid(pick()),
    () => g.transpose(pick(), [1, 0]),
    () => g.transpose(pick(), [0, 1]),
    () => g.reshape(g.reshape(pick(), [9]), matrix),
    () => g.reshape(g.transpose(g.reshape(pick(), [1, 3, 3]), [2, 0, 1]), matrix),
    () => g.gemm(g.tanh(pick()), g.tanh(pick()), { transB: random.integer(2) === 1 }),
    () => g.gemm(g.mul(g.tanh(pick()), column), g.tanh(g.expand(column, [side, side]))),
    () => g.gelu(pick()),
    () => g.softmax(pick()),
    () => g.add(pick(), g.reduceSum(g.tanh(pick()), [1], true)),
    () => g.concat([...g.split(pick(), 0, [1, 2])].reverse(), 0),
    () => g.concat([g.slice(pick(), 1, 0, 1), g.slice(pick(), 1, 1, 3)], 1),
    () => g.layerNormalization(pick(), inputs[2]!, inputs[2]!, 1e-2).y,
    () => g.mul(g.expand(g.scalar(0.5), matrix), pick()),
  ];
  for (let index = 0; index < nodes; index++) {
    made.push(builders[random.integer(builders.length)]!());
  }
  return {
    inputs,
    results: [made.at(-1)!, pick(), pick()],
    feeds: { a: uniform(seed + 2, 9), b: uniform(seed + 3, 9), c: uniform(seed + 4, 3) },
  };
}
