import { createHash } from 'node:crypto';
import { constant } from './build/sources';
import { mul } from './build/elementwise';
import { reshape } from './build/layout';
import { lower } from './lower';
import { gemm } from './build/matrix';
import { programResults, type Program } from './program';
import { evaluateNode } from './reference';
import { rewrite } from './rewrite';
import { elementCount, sameShape } from './shape';
import { firstOutput, type Node, type NodeOf, type Tensor, type TensorData } from './tensor';

/** Constants above this many elements are left to the engine: a graph should stay small. */
const largestFoldedConstant = 4096;

/**
 * Removes what need not be computed: equal nodes are shared, constants folded, identities dropped,
 * products scaled where they are smallest, dead nodes forgotten. The results are equal in value;
 * Inputs keep their identity.
 */
export function simplify(results: readonly Tensor[]): Tensor[] {
  const numbers = new Map<Tensor, number>();
  const known = new Map<string, Node>();
  const number = (tensor: Tensor): number => {
    const existing = numbers.get(tensor);
    if (existing !== undefined) return existing;
    numbers.set(tensor, numbers.size);
    return numbers.size - 1;
  };
  const share = (node: Node): Node => {
    if (node.op === 'Input') return node;
    const key = `${node.op}(${node.inputs.map(number).join()})${attributesKey(node)}`;
    const equal = known.get(key);
    if (equal) return equal;
    known.set(key, node);
    return node;
  };
  // Equal nodes are found first, so that a form given to one is the form of all of them.
  const forms = new Map<Node, readonly Tensor[]>();
  return rewrite(results, original => {
    const node = share(original);
    const existing = forms.get(node);
    if (existing) return existing;
    const simpler = foldConstants(node) ?? simplerForm(node);
    const outputs = simpler ? [share(simpler.node).outputs[simpler.index]!] : node.outputs;
    forms.set(node, outputs);
    return outputs;
  });
}

/** Everything a program computes, simplified and in the forms that engines compute fastest. */
export function simplifyProgram(program: Program): Program {
  const names = Object.keys(program.outputs);
  const results = simplify(lower(simplify(programResults(program))));
  return {
    ...program,
    outputs: Object.fromEntries(names.map((name, index) => [name, results[index]!])),
    state: program.state.map((state, index) => ({
      ...state,
      next: results[names.length + index]!,
    })),
  };
}

function attributesKey({ op, attributes, outputs }: Node): string {
  if (op !== 'Constant') return JSON.stringify(attributes);
  const { shape, type } = outputs[0]!;
  return `${type}[${shape.join()}]${bytesKey(attributes.data)}`;
}

/** Text that differs for different bytes, so for 0 and -0 too, whose reciprocals differ. */
function bytesKey({ buffer, byteOffset, byteLength }: TensorData): string {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return byteLength <= 64 ? bytes.join() : createHash('sha256').update(bytes).digest('hex');
}

const constantData = (tensor: Tensor): TensorData | undefined =>
  tensor.node.op === 'Constant' ? tensor.node.attributes.data : undefined;

function foldConstants(node: Node): Tensor | undefined {
  const { op, inputs, outputs } = node;
  if (inputs.length === 0 || outputs.length !== 1 || op === 'Input') return undefined;
  const [output] = outputs;
  if (!output || elementCount(output.shape) > largestFoldedConstant) return undefined;
  const values = inputs.map(constantData);
  if (!values.every(value => value !== undefined)) return undefined;
  const [folded] = evaluateNode(
    node,
    values.map(value => Float64Array.from(value)),
  );
  if (!folded) return undefined;
  return constant(
    output.type === 'int32' ? Int32Array.from(folded) : Float32Array.from(folded),
    output.shape,
  );
}

/** True for a constant that holds `value` everywhere and does not widen the other operand. */
function isNeutral(operand: Tensor, value: number, result: Tensor, other: Tensor): boolean {
  return (
    sameShape(result.shape, other.shape) &&
    (constantData(operand)?.every(element => element === value) ?? false)
  );
}

function simplerForm(node: Node): Tensor | undefined {
  const [a, b] = node.inputs;
  const result = firstOutput(node);
  switch (node.op) {
    case 'Add':
      if (isNeutral(b!, 0, result, a!)) return a;
      return isNeutral(a!, 0, result, b!) ? b : undefined;
    case 'Mul':
      if (isNeutral(b!, 1, result, a!)) return a;
      return isNeutral(a!, 1, result, b!) ? b : undefined;
    case 'Sub':
      return isNeutral(b!, 0, result, a!) ? a : undefined;
    case 'Div':
      return isNeutral(b!, 1, result, a!) ? a : undefined;
    case 'Reshape':
      if (sameShape(a!.shape, result.shape)) return a;
      return a!.node.op === 'Reshape' ? reshape(a!.node.inputs[0]!, result.shape) : undefined;
    case 'Transpose':
      return undoneTranspose(node);
    case 'Gemm':
      return scaleProduct(node);
    case 'Neg':
      return a!.node.op === 'Neg' ? a!.node.inputs[0] : undefined;
    default:
      return undefined;
  }
}

/** A transposition that changes nothing, or undoes the one before it. Others stay apart: engines
 * compute an exchange of the last two axes as part of the product that reads it. */
function undoneTranspose({
  inputs: [x],
  attributes: { perm },
}: NodeOf<'Transpose'>): Tensor | undefined {
  if (perm.every((axis, index) => axis === index)) return x;
  if (x!.node.op !== 'Transpose') return undefined;
  const first = x!.node.attributes.perm;
  return perm.every((axis, index) => first[axis] === index) ? x!.node.inputs[0] : undefined;
}

/** (X · column) W = (X W) · column: scales the product instead of the larger operand. */
function scaleProduct({ inputs: [a, b], attributes }: NodeOf<'Gemm'>): Tensor | undefined {
  if (a!.node.op !== 'Mul' || attributes.transA) return undefined;
  const [x, column] = a!.node.inputs as readonly [Tensor, Tensor];
  const rows = a!.shape[0]!;
  const isColumn = sameShape(column.shape, [rows, 1]) && sameShape(x.shape, a!.shape);
  const smaller = a!.shape[1]! > (attributes.transB ? b!.shape[0]! : b!.shape[1]!);
  return isColumn && smaller ? mul(gemm(x, b!, { transB: attributes.transB }), column) : undefined;
}
