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

interface AlongAxis {
  readonly axis: number;
}
interface Reducing {
  readonly axes: readonly number[];
  readonly keepdims: boolean;
}
interface Shaping {
  readonly shape: Shape;
}

/** Attributes by ONNX name; `name` and `data` belong to Input and Constant. Other operators have none. */
interface OperatorAttributes {
  readonly Input: { readonly name: string };
  readonly Constant: { readonly data: TensorData };
  readonly Gelu: { readonly approximate: 'none' | 'tanh' };
  readonly Gemm: { readonly transA: boolean; readonly transB: boolean };
  readonly Reshape: Shaping;
  readonly Expand: Shaping;
  readonly Transpose: { readonly perm: readonly number[] };
  readonly Concat: AlongAxis;
  readonly Split: AlongAxis & { readonly split: readonly number[] };
  readonly Slice: {
    readonly axes: readonly [number];
    readonly starts: readonly [number];
    readonly ends: readonly [number];
  };
  readonly ReduceSum: Reducing;
  readonly ReduceMax: Reducing;
  readonly ReduceLogSumExp: Reducing;
  readonly ArgMax: AlongAxis;
  readonly Gather: AlongAxis;
  readonly GatherElements: AlongAxis;
  readonly ScatterElements: AlongAxis;
  readonly Softmax: AlongAxis;
  readonly LayerNormalization: AlongAxis & { readonly epsilon: number };
}

/** Operators that are all said by their name. */
export type PlainOperator = Exclude<Operator, keyof OperatorAttributes>;

/** Operators that reduce axes. */
export type ReductionOperator = 'ReduceSum' | 'ReduceMax' | 'ReduceLogSumExp';

/** The attributes of an operator. */
export type AttributesOf<Op extends Operator> = Op extends keyof OperatorAttributes
  ? OperatorAttributes[Op]
  : Readonly<Record<string, never>>;

/** One application of an operator. Nodes are immutable and know only what they read. */
export interface NodeOf<Op extends Operator> {
  readonly op: Op;
  readonly inputs: readonly Tensor[];
  readonly attributes: AttributesOf<Op>;
  readonly outputs: readonly Tensor[];
}

/** A node of some operator, which tells its attributes. */
export type Node = { readonly [Op in Operator]: NodeOf<Op> }[Operator];

/** A value in the graph: output `index` of `node`. */
export interface Tensor {
  readonly node: Node;
  readonly index: number;
  readonly shape: Shape;
  readonly type: ElementType;
}

/** The rule for a node in a table whose rules take the nodes of their own operator alone. */
export const ruleOf = <Rule>(
  rules: { readonly [Op in Operator]?: unknown },
  { op }: Node,
): Rule | undefined => rules[op] as Rule | undefined;

/** Makes a node with the given output shapes; the builders below call it after their shape rule. */
export function createNode<Op extends Operator>(
  op: Op,
  inputs: readonly Tensor[],
  attributes: AttributesOf<Op>,
  outputs: readonly { readonly shape: Shape; readonly type: ElementType }[],
): NodeOf<Op> {
  const tensors: Tensor[] = [];
  const node: NodeOf<Op> = { op, inputs, attributes, outputs: tensors };
  outputs.forEach(({ shape, type }, index) =>
    tensors.push({ node: node as unknown as Node, index, shape, type }),
  );
  return node;
}

/** The same application of the same operator, of other inputs of the same shapes. */
export const withInputs = ({ op, attributes, outputs }: Node, inputs: readonly Tensor[]): Node =>
  createNode<Operator>(op, inputs, attributes, outputs) as Node;

/** `createNode` for the usual operator with one output. */
export function createTensor<Op extends Operator>(
  op: Op,
  inputs: readonly Tensor[],
  attributes: AttributesOf<Op>,
  shape: Shape,
  type: ElementType = 'float32',
): Tensor {
  return firstOutput(createNode(op, inputs, attributes, [{ shape, type }]));
}

/** Output 0 of a node. */
export function firstOutput(node: Pick<Node, 'op' | 'outputs'>): Tensor {
  const output = node.outputs[0];
  if (!output) throw new Error(`${node.op} has no output`);
  return output;
}
