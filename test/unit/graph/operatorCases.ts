import * as g from '../../../src/graph';

/** One use of an operator: its inputs' shapes and the graph it builds from them. */
export interface OperatorCase {
  readonly op: g.Operator;
  readonly name: string;
  readonly shapes: readonly g.Shape[];
  readonly build: (...inputs: g.Tensor[]) => g.Tensor;
  /** Range the random inputs are drawn from. */
  readonly range?: readonly [number, number];
  /** Set where the operator has no gradient on purpose. */
  readonly constantGradient?: true;
}

const indices = g.constant(Int32Array.of(2, 0, 2, 1), [4]);
const elementIndices = g.constant(Int32Array.of(2, 0, 1, 2, 2, 1), [2, 3]);

/** At least one case for every operator. */
export const operatorCases: readonly OperatorCase[] = [
  { op: 'Add', name: 'with broadcasting', shapes: [[2, 3], [3]], build: g.add },
  {
    op: 'Sub',
    name: 'with broadcasting on both sides',
    shapes: [
      [2, 1],
      [1, 3],
    ],
    build: g.sub,
  },
  {
    op: 'Mul',
    name: 'with a leading axis broadcast',
    shapes: [
      [2, 2, 3],
      [2, 1],
    ],
    build: g.mul,
  },
  { op: 'Mul', name: 'of a value with itself', shapes: [[4]], build: x => g.mul(x, x) },
  { op: 'Div', name: 'with broadcasting', shapes: [[2, 3], [3]], build: g.div, range: [0.5, 2] },
  { op: 'Min', name: 'of two', shapes: [[5], [5]], build: g.min, constantGradient: true },
  { op: 'Neg', name: 'of a matrix', shapes: [[2, 3]], build: g.neg },
  { op: 'Reciprocal', name: 'of positives', shapes: [[5]], build: g.reciprocal, range: [0.5, 2] },
  { op: 'Sqrt', name: 'of positives', shapes: [[5]], build: g.sqrt, range: [0.5, 2] },
  { op: 'Exp', name: 'of a vector', shapes: [[5]], build: g.exp },
  { op: 'Log', name: 'of positives', shapes: [[5]], build: g.log, range: [0.5, 2] },
  { op: 'Erf', name: 'of a vector', shapes: [[9]], build: g.erf, range: [-3, 3] },
  { op: 'Tanh', name: 'of a vector', shapes: [[5]], build: g.tanh },
  { op: 'Sigmoid', name: 'of a vector', shapes: [[5]], build: g.sigmoid },
  { op: 'Relu', name: 'of both signs', shapes: [[8]], build: g.relu },
  { op: 'Sign', name: 'of both signs', shapes: [[8]], build: g.sign, constantGradient: true },
  { op: 'Gelu', name: 'exact', shapes: [[9]], build: x => g.gelu(x), range: [-4, 4] },
  { op: 'Gelu', name: 'by tanh', shapes: [[9]], build: x => g.gelu(x, 'tanh'), range: [-4, 4] },
  {
    op: 'Gemm',
    name: 'plain',
    shapes: [
      [2, 3],
      [3, 4],
    ],
    build: (a, b) => g.gemm(a, b),
  },
  {
    op: 'Gemm',
    name: 'with the first transposed',
    shapes: [
      [3, 2],
      [3, 4],
    ],
    build: (a, b) => g.gemm(a, b, { transA: true }),
  },
  {
    op: 'Gemm',
    name: 'with the second transposed',
    shapes: [
      [2, 3],
      [4, 3],
    ],
    build: (a, b) => g.gemm(a, b, { transB: true }),
  },
  {
    op: 'Gemm',
    name: 'with both transposed',
    shapes: [
      [3, 2],
      [4, 3],
    ],
    build: (a, b) => g.gemm(a, b, { transA: true, transB: true }),
  },
  {
    op: 'MatMul',
    name: 'batched',
    shapes: [
      [2, 2, 3],
      [2, 3, 2],
    ],
    build: g.matMul,
  },
  {
    op: 'MatMul',
    name: 'with a batch axis broadcast',
    shapes: [
      [2, 2, 3],
      [3, 2],
    ],
    build: g.matMul,
  },
  { op: 'Reshape', name: 'to another rank', shapes: [[2, 6]], build: x => g.reshape(x, [3, 2, 2]) },
  {
    op: 'Transpose',
    name: 'by a cycle',
    shapes: [[2, 3, 4]],
    build: x => g.transpose(x, [1, 2, 0]),
  },
  {
    op: 'Concat',
    name: 'in the middle axis',
    shapes: [
      [2, 1, 3],
      [2, 2, 3],
    ],
    build: (a, b) => g.concat([a, b], 1),
  },
  {
    op: 'Split',
    name: 'with all pieces read',
    shapes: [[2, 5]],
    build: x => {
      const [a, b, c] = g.split(x, 1, [2, 2, 1]) as [g.Tensor, g.Tensor, g.Tensor];
      return g.mul(g.mul(a, b), c);
    },
  },
  {
    op: 'Split',
    name: 'with a piece nobody reads',
    shapes: [[5, 2]],
    build: x => g.split(x, 0, [2, 3])[1]!,
  },
  { op: 'Slice', name: 'from the middle', shapes: [[5, 2]], build: x => g.slice(x, 0, 1, 3) },
  { op: 'Expand', name: 'of an inner axis', shapes: [[2, 1]], build: x => g.expand(x, [3, 2, 4]) },
  {
    op: 'ReduceSum',
    name: 'over the first axis',
    shapes: [[3, 2]],
    build: x => g.reduceSum(x, [0]),
  },
  { op: 'ReduceSum', name: 'over everything', shapes: [[3, 2]], build: x => g.reduceSum(x) },
  {
    op: 'ReduceSum',
    name: 'keeping the axis',
    shapes: [[3, 2]],
    build: x => g.mul(x, g.reduceSum(x, [1], true)),
  },
  {
    op: 'ReduceMax',
    name: 'over the last axis',
    shapes: [[3, 4]],
    build: x => g.reduceMax(x, [1]),
    constantGradient: true,
  },
  {
    op: 'ReduceLogSumExp',
    name: 'over the last axis',
    shapes: [[3, 4]],
    build: x => g.reduceLogSumExp(x),
    range: [-30, 30],
  },
  { op: 'ArgMax', name: 'of rows', shapes: [[4, 5]], build: g.argMax, constantGradient: true },
  { op: 'Gather', name: 'with repeated rows', shapes: [[3, 2]], build: x => g.gather(x, indices) },
  {
    op: 'GatherElements',
    name: 'with repeated elements',
    shapes: [[3, 3]],
    build: x => g.gatherElements(x, elementIndices),
  },
  {
    op: 'ScatterElements',
    name: 'adding at repeated elements',
    shapes: [
      [3, 3],
      [2, 3],
    ],
    build: (x, updates) => g.scatterElements(x, elementIndices, updates),
  },
  { op: 'Softmax', name: 'of rows', shapes: [[3, 4]], build: g.softmax, range: [-3, 3] },
  {
    op: 'LayerNormalization',
    name: 'of rows',
    shapes: [[3, 5], [5], [5]],
    build: (x, weight, bias) => g.layerNormalization(x, weight, bias, 1e-5).y,
  },
];
