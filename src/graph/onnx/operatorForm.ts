import type { Node } from '../tensor';
import { attributeTypes, type AttributeProto } from './schema';

/** How one node is written in ONNX (opset 20). */
export interface OperatorForm {
  readonly opType: string;
  readonly attributes: readonly AttributeProto[];
  /** Constant int64 inputs that follow the tensor inputs: shapes, axes, sizes. */
  readonly integerInputs: readonly (readonly number[])[];
  /** Set when ONNX gives int64 where the graph has int32. */
  readonly castFrom?: 'int64';
}

const int = (name: string, i: number): AttributeProto => ({ name, type: attributeTypes.int, i });
const float = (name: string, f: number): AttributeProto => ({
  name,
  type: attributeTypes.float,
  f,
});
const ints = (name: string, values: readonly number[]): AttributeProto => ({
  name,
  type: attributeTypes.ints,
  ints: values,
});
const string = (name: string, text: string): AttributeProto => ({
  name,
  type: attributeTypes.string,
  s: new TextEncoder().encode(text),
});

/** The ONNX form of a node other than Input and Constant. */
export function operatorForm({ op, attributes: a }: Node): OperatorForm {
  const form = (
    attributes: readonly AttributeProto[] = [],
    integerInputs: readonly (readonly number[])[] = [],
  ): OperatorForm => ({ opType: op, attributes, integerInputs });
  switch (op) {
    case 'Gemm':
      return form([int('transA', Number(a.transA)), int('transB', Number(a.transB))]);
    case 'Reshape':
    case 'Expand':
      return form([], [a.shape]);
    case 'Transpose':
      return form([ints('perm', a.perm)]);
    case 'Concat':
    case 'Gather':
    case 'GatherElements':
    case 'Softmax':
      return form([int('axis', a.axis)]);
    case 'Split':
      return form([int('axis', a.axis)], [a.split]);
    case 'Slice':
      return form([], [a.starts, a.ends, a.axes]);
    case 'ReduceSum':
    case 'ReduceMax':
    case 'ReduceLogSumExp':
      return form([int('keepdims', Number(a.keepdims))], [a.axes]);
    case 'ArgMax':
      return { ...form([int('axis', a.axis), int('keepdims', 0)]), castFrom: 'int64' };
    case 'ScatterElements':
      return form([int('axis', a.axis), string('reduction', 'add')]);
    case 'Gelu':
      return form([string('approximate', a.approximate)]);
    case 'LayerNormalization':
      return form([int('axis', a.axis), float('epsilon', a.epsilon)]);
    default:
      return form();
  }
}
