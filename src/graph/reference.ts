import { inputName } from './build/sources';
import { topologicalOrder } from './program';
import { broadcastShapes, elementCount, stridesOf } from './shape';
import {
  firstOutput,
  ruleOf,
  type Node,
  type NodeOf,
  type Operator,
  type ReductionOperator,
  type Shape,
  type Tensor,
  type TensorData,
} from './tensor';

/**
 * The meaning of every operator in plain float64 JavaScript: what engines are tested against and
 * what constant folding uses. Written to be read, not to be fast.
 */

type Values = Float64Array;

/** Computes tensors from fed inputs (by name), in float64. */
export function evaluate(
  results: readonly Tensor[],
  feeds: Readonly<Record<string, TensorData | Float64Array>>,
): Float64Array[] {
  const values = new Map<Tensor, Values>();
  for (const node of topologicalOrder(results)) {
    const outputs =
      node.op === 'Input'
        ? [fed(node, feeds)]
        : evaluateNode(
            node,
            node.inputs.map(input => values.get(input)!),
          );
    node.outputs.forEach((output, index) => values.set(output, outputs[index]!));
  }
  return results.map(result => values.get(result)!);
}

function fed(node: Node, feeds: Readonly<Record<string, TensorData | Float64Array>>): Values {
  const tensor = firstOutput(node);
  const name = inputName(tensor);
  const data = feeds[name];
  if (!data || data.length !== elementCount(tensor.shape)) {
    throw new Error(`Input "${name}" was fed ${data?.length ?? 'no'} values`);
  }
  return Float64Array.from(data);
}

/** Values of every output of one node. */
export function evaluateNode(node: Node, inputs: readonly Values[]): Values[] {
  const rule = ruleOf<Rule>(rules, node);
  if (!rule) throw new Error(`${node.op} has no reference rule`);
  return rule(node, inputs);
}

type Rule<Op extends Operator = Operator> = (
  node: NodeOf<Op>,
  inputs: readonly Values[],
) => Values[];

const unary =
  (f: (x: number) => number): Rule =>
  (_, [x]) => [x!.map(f)];

const binary =
  (f: (a: number, b: number) => number): Rule =>
  (node, [a, b]) => {
    const [left, right] = node.inputs as readonly [Tensor, Tensor];
    const shape = broadcastShapes(left.shape, right.shape);
    const leftIndex = broadcastIndex(left.shape, shape);
    const rightIndex = broadcastIndex(right.shape, shape);
    return [generate(shape, i => f(a![leftIndex(i)]!, b![rightIndex(i)]!))];
  };

function generate(shape: Shape, f: (index: number) => number): Values {
  const result = new Float64Array(elementCount(shape));
  for (let index = 0; index < result.length; index++) result[index] = f(index);
  return result;
}

/** Maps a flat index of `to` to the flat index of the value of shape `from` broadcast to it. */
function broadcastIndex(from: Shape, to: Shape): (index: number) => number {
  const toStrides = stridesOf(to);
  const fromStrides = stridesOf(from);
  const offset = to.length - from.length;
  return index => {
    let position = 0;
    for (let axis = offset; axis < to.length; axis++) {
      const coordinate = Math.floor(index / toStrides[axis]!) % to[axis]!;
      if (from[axis - offset] !== 1) position += coordinate * fromStrides[axis - offset]!;
    }
    return position;
  };
}

/** Runs f once for each combination of the axes that are not reduced. */
function reduceRows(
  node: Pick<Node, 'inputs'>,
  x: Values,
  axes: readonly number[],
  f: (row: readonly number[]) => number,
): Values {
  const shape = node.inputs[0]!.shape;
  const strides = stridesOf(shape);
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const keptStrides = stridesOf(kept);
  const rows: number[][] = Array.from({ length: elementCount(kept) }, () => []);
  x.forEach((value, index) => {
    let row = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      if (!axes.includes(axis)) {
        row += (Math.floor(index / strides[axis]!) % shape[axis]!) * keptStrides[axis]!;
      }
    }
    rows[row]!.push(value);
  });
  return Float64Array.from(rows, f);
}

const reduction =
  (f: (row: readonly number[]) => number): Rule<ReductionOperator> =>
  (node, [x]) => [reduceRows(node, x!, node.attributes.axes, f)];

const logSumExp = (row: readonly number[]): number => {
  const largest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return largest + Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0));
};

/** Abramowitz and Stegun 7.1.5 / continued fraction: erf to about 1e-15. */
function erfOf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2.5) {
    let term = z;
    let sum = z;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction));
}

function geluOf(approximate: 'none' | 'tanh'): (x: number) => number {
  if (approximate === 'none') return x => 0.5 * x * (1 + erfOf(x / Math.SQRT2));
  const scale = Math.sqrt(2 / Math.PI);
  return x => 0.5 * x * (1 + Math.tanh(scale * (x + 0.044715 * x ** 3)));
}

function product(a: Values, b: Values, m: number, k: number, n: number): Values {
  const result = new Float64Array(m * n);
  for (let row = 0; row < m; row++) {
    for (let inner = 0; inner < k; inner++) {
      const left = a[row * k + inner]!;
      for (let column = 0; column < n; column++) {
        result[row * n + column]! += left * b[inner * n + column]!;
      }
    }
  }
  return result;
}

function transposed(x: Values, rows: number, columns: number): Values {
  return generate([columns, rows], i => x[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** Copies the box of `shape` at `starts` out of x. */
function cut(x: Values, from: Shape, starts: readonly number[], shape: Shape): Values {
  const fromStrides = stridesOf(from);
  const strides = stridesOf(shape);
  return generate(shape, index => {
    let position = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      const coordinate = Math.floor(index / strides[axis]!) % shape[axis]!;
      position += (coordinate + starts[axis]!) * fromStrides[axis]!;
    }
    return x[position]!;
  });
}

const rules: { readonly [Op in Operator]?: Rule<Op> } = {
  Constant: node => [Float64Array.from(node.attributes.data)],
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Min: binary(Math.min),
  Neg: unary(x => -x),
  Reciprocal: unary(x => 1 / x),
  Sqrt: unary(Math.sqrt),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Erf: unary(erfOf),
  Tanh: unary(Math.tanh),
  Sigmoid: unary(x => 1 / (1 + Math.exp(-x))),
  Relu: unary(x => Math.max(x, 0)),
  Sign: unary(Math.sign),
  Gelu: (node, [x]) => [x!.map(geluOf(node.attributes.approximate))],
  Gemm: (node, [a, b]) => {
    const [left, right] = node.inputs as readonly [Tensor, Tensor];
    const { transA, transB } = node.attributes;
    const [m, n] = firstOutput(node).shape as readonly [number, number];
    const k = left.shape[transA ? 0 : 1]!;
    const first = transA ? transposed(a!, left.shape[0]!, left.shape[1]!) : a!;
    const second = transB ? transposed(b!, right.shape[0]!, right.shape[1]!) : b!;
    return [product(first, second, m, k, n)];
  },
  MatMul: (node, [a, b]) => {
    const [left, right] = node.inputs as readonly [Tensor, Tensor];
    const { shape } = firstOutput(node);
    const [m, n, k] = [shape.at(-2)!, shape.at(-1)!, left.shape.at(-1)!];
    const leading = shape.slice(0, -2);
    const leftIndex = broadcastIndex(left.shape.slice(0, -2), leading);
    const rightIndex = broadcastIndex(right.shape.slice(0, -2), leading);
    const result = new Float64Array(elementCount(shape));
    for (let batch = 0; batch < elementCount(leading); batch++) {
      const [i, j] = [leftIndex(batch) * m * k, rightIndex(batch) * k * n];
      const part = product(a!.subarray(i, i + m * k), b!.subarray(j, j + k * n), m, k, n);
      result.set(part, batch * m * n);
    }
    return [result];
  },
  Reshape: (_, [x]) => [x!],
  Transpose: (node, [x]) => {
    const { shape } = firstOutput(node);
    const strides = stridesOf(shape);
    const fromStrides = stridesOf(node.inputs[0]!.shape);
    const { perm } = node.attributes;
    return [
      generate(shape, index => {
        let position = 0;
        for (let axis = 0; axis < shape.length; axis++) {
          const coordinate = Math.floor(index / strides[axis]!) % shape[axis]!;
          position += coordinate * fromStrides[perm[axis]!]!;
        }
        return x![position]!;
      }),
    ];
  },
  Concat: (node, inputs) => {
    const { shape } = firstOutput(node);
    const axis = node.attributes.axis;
    const outer = elementCount(shape.slice(0, axis));
    const result = new Float64Array(elementCount(shape));
    let offset = 0;
    for (let row = 0; row < outer; row++) {
      inputs.forEach(values => {
        const length = values.length / outer;
        result.set(values.subarray(row * length, (row + 1) * length), offset);
        offset += length;
      });
    }
    return [result];
  },
  Split: (node, [x]) => {
    const { shape } = node.inputs[0]!;
    let start = 0;
    return node.outputs.map(output => {
      const starts = shape.map((_, axis) => (axis === node.attributes.axis ? start : 0));
      start += output.shape[node.attributes.axis]!;
      return cut(x!, shape, starts, output.shape);
    });
  },
  Slice: (node, [x]) => {
    const { shape } = node.inputs[0]!;
    const [axis] = node.attributes.axes;
    const starts = shape.map((_, index) => (index === axis ? node.attributes.starts[0] : 0));
    return [cut(x!, shape, starts, firstOutput(node).shape)];
  },
  Expand: (node, [x]) => {
    const { shape } = firstOutput(node);
    const index = broadcastIndex(node.inputs[0]!.shape, shape);
    return [generate(shape, i => x![index(i)]!)];
  },
  ReduceSum: reduction(row => row.reduce((sum, value) => sum + value, 0)),
  ReduceMax: reduction(row => row.reduce((a, b) => Math.max(a, b), -Infinity)),
  ReduceLogSumExp: reduction(logSumExp),
  ArgMax: (node, [x]) => [
    reduceRows(node, x!, [node.attributes.axis], row =>
      row.reduce((best, value, index) => (value > row[best]! ? index : best), 0),
    ),
  ],
  Gather: (node, [x, indices]) => {
    const width = elementCount(node.inputs[0]!.shape.slice(1));
    return [
      generate(
        firstOutput(node).shape,
        i => x![indices![Math.floor(i / width)]! * width + (i % width)]!,
      ),
    ];
  },
  GatherElements: (node, [x, indices]) => {
    const width = elementCount(node.inputs[0]!.shape.slice(1));
    return [generate(firstOutput(node).shape, i => x![indices![i]! * width + (i % width)]!)];
  },
  ScatterElements: (node, [x, indices, updates]) => {
    const width = elementCount(node.inputs[0]!.shape.slice(1));
    const result = x!.slice();
    updates!.forEach((update, i) => (result[indices![i]! * width + (i % width)]! += update));
    return [result];
  },
  Softmax: (node, [x]) => {
    const width = node.inputs[0]!.shape.at(-1)!;
    const last = [node.inputs[0]!.shape.length - 1];
    const largest = reduceRows(node, x!, last, row => Math.max(...row));
    // The sum stays apart from the largest, which may be too large to add its logarithm to.
    const powers = x!.map((value, i) => Math.exp(value - largest[Math.floor(i / width)]!));
    const sums = reduceRows(node, powers, last, row => row.reduce((sum, value) => sum + value, 0));
    return [powers.map((value, i) => value / sums[Math.floor(i / width)]!)];
  },
  LayerNormalization: (node, [x, weight, bias]) => {
    const width = node.inputs[0]!.shape.at(-1)!;
    const rows = x!.length / width;
    const mean = new Float64Array(rows);
    const inverse = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      const values = x!.subarray(row * width, (row + 1) * width);
      const average = values.reduce((sum, value) => sum + value, 0) / width;
      const variance = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / width;
      mean[row] = average;
      inverse[row] = 1 / Math.sqrt(variance + node.attributes.epsilon);
    }
    const y = x!.map((value, i) => {
      const row = Math.floor(i / width);
      return (value - mean[row]!) * inverse[row]! * weight![i % width]! + bias![i % width]!;
    });
    return [y, mean, inverse];
  },
};
