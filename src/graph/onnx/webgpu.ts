import type { Node, NodeOf, Tensor } from '../tensor';
import { attributeTypes, dataTypes, type AttributeProto } from './schema';

/** One ONNX node of an expansion. Names are local: input0, input1, …, output, or any other. */
interface ExpandedNode {
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: string;
  readonly attributes?: readonly AttributeProto[];
}

/** A node written as several, with the constants they read by local name. */
export interface Expansion {
  readonly nodes: readonly ExpandedNode[];
  readonly constants: Readonly<
    Record<
      string,
      { readonly data: Float32Array | BigInt64Array; readonly dims: readonly number[] }
    >
  >;
}

const int = (name: string, i: number): AttributeProto => ({ name, type: attributeTypes.int, i });
const cast = (input: string, output: string, to: keyof typeof dataTypes): ExpandedNode => ({
  opType: 'Cast',
  input: [input],
  output,
  attributes: [int('to', dataTypes[to])],
});

/** How an operator is written that ONNX Runtime has no WebGPU kernel for; undefined where it has. */
export function webgpuExpansion(node: Node): Expansion | undefined {
  switch (node.op) {
    case 'Sign':
      return sign;
    case 'ArgMax':
      return argMax(node);
    default:
      return undefined;
  }
}

/** sign x = [x > 0] − [x < 0]. */
const sign: Expansion = {
  constants: { zero: { data: Float32Array.of(0), dims: [] } },
  nodes: [
    { opType: 'Greater', input: ['input0', 'zero'], output: 'above' },
    { opType: 'Less', input: ['input0', 'zero'], output: 'below' },
    cast('above', 'positive', 'float32'),
    cast('below', 'negative', 'float32'),
    { opType: 'Sub', input: ['positive', 'negative'], output: 'output' },
  ],
};

/**
 * The kernel gives int64, which nothing on the device reads. Instead: of the elements that equal the
 * largest, the first has the largest of n, n − 1, …, 1; exact for n < 2²⁴.
 */
function argMax({ inputs, attributes: { axis } }: NodeOf<'ArgMax'>): Expansion {
  const [x] = inputs as readonly [Tensor];
  const n = x.shape[axis]!;
  const dims = x.shape.map((size, index) => (index === axis ? size : 1));
  return {
    constants: {
      axes: { data: BigInt64Array.of(BigInt(axis)), dims: [1] },
      fromEnd: { data: Float32Array.from({ length: n }, (_, index) => n - index), dims },
      count: { data: Float32Array.of(n), dims: [] },
    },
    nodes: [
      {
        opType: 'ReduceMax',
        input: ['input0', 'axes'],
        output: 'largest',
        attributes: [int('keepdims', 1)],
      },
      { opType: 'Equal', input: ['input0', 'largest'], output: 'equal' },
      cast('equal', 'isLargest', 'float32'),
      { opType: 'Mul', input: ['isLargest', 'fromEnd'], output: 'places' },
      {
        opType: 'ReduceMax',
        input: ['places', 'axes'],
        output: 'first',
        attributes: [int('keepdims', 0)],
      },
      { opType: 'Sub', input: ['count', 'first'], output: 'index' },
      cast('index', 'output', 'int32'),
    ],
  };
}
