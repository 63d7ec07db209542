/** Element types of the graph: float32 for values, int32 for indices. */
export type ElementType = 'float32' | 'int32';

/** A static shape, outermost axis first; `[]` is a scalar. */
export type Shape = readonly number[];

/** Host-side values of a tensor, row-major. */
export type TensorData = Float32Array | Int32Array;

/** The operator set: ONNX names with ONNX meanings, plus `Input` for what is fed. */
export const operators = [
  'Input',
  'Constant',
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Min',
  'Neg',
  'Reciprocal',
  'Sqrt',
  'Exp',
  'Log',
  'Erf',
  'Tanh',
  'Sigmoid',
  'Relu',
  'Sign',
  'Gelu',
  'MatMul',
  'Gemm',
  'Reshape',
  'Transpose',
  'Concat',
  'Split',
  'Slice',
  'Expand',
  'ReduceSum',
  'ReduceMax',
  'ReduceLogSumExp',
  'ArgMax',
  'Gather',
  'GatherElements',
  'ScatterElements',
  'Softmax',
  'LayerNormalization',
] as const;

/** One of `operators`. */
export type Operator = (typeof operators)[number];

/** Attributes by ONNX name; `name` and `data` belong to Input and Constant. */
export interface Attributes {
  readonly name?: string;
  readonly data?: TensorData;
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly perm?: readonly number[];
  readonly axis?: number;
  readonly axes?: readonly number[];
  readonly keepdims?: boolean;
  readonly split?: readonly number[];
  readonly starts?: readonly number[];
  readonly ends?: readonly number[];
  readonly shape?: Shape;
  readonly approximate?: 'none' | 'tanh';
  readonly epsilon?: number;
}

/** One application of an operator. Nodes are immutable and know only what they read. */
export interface Node {
  readonly op: Operator;
  readonly inputs: readonly Tensor[];
  readonly attributes: Attributes;
  readonly outputs: readonly Tensor[];
}

/** A value in the graph: output `index` of `node`. */
export interface Tensor {
  readonly node: Node;
  readonly index: number;
  readonly shape: Shape;
  readonly type: ElementType;
}

/** Makes a node with the given output shapes; the builders below call it after their shape rule. */
export function createNode(
  op: Operator,
  inputs: readonly Tensor[],
  attributes: Attributes,
  outputs: readonly { readonly shape: Shape; readonly type: ElementType }[],
): Node {
  const tensors: Tensor[] = [];
  const node: Node = { op, inputs, attributes, outputs: tensors };
  outputs.forEach(({ shape, type }, index) => tensors.push({ node, index, shape, type }));
  return node;
}

/** `createNode` for the usual operator with one output. */
export function createTensor(
  op: Operator,
  inputs: readonly Tensor[],
  attributes: Attributes,
  shape: Shape,
  type: ElementType = 'float32',
): Tensor {
  return firstOutput(createNode(op, inputs, attributes, [{ shape, type }]));
}

/** Output 0 of a node. */
export function firstOutput(node: Node): Tensor {
  const output = node.outputs[0];
  if (!output) throw new Error(`${node.op} has no output`);
  return output;
}
