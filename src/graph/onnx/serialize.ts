import { inputName } from '../build/sources';
import { programResults, topologicalOrder, validateProgram, type Program } from '../program';
import type { ElementType, Node, Shape, Tensor } from '../tensor';
import { operatorForm } from './operatorForm';
import {
  dataTypes,
  encodeModel,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './schema';

/** ONNX opset the operators' forms follow. */
const opsetVersion = 20;
/** IR version that goes with that opset. */
const irVersion = 9;

/** A program as ONNX, with the names its values go by. */
export interface OnnxProgram {
  readonly bytes: Uint8Array;
  /** Graph output that holds each of the program's outputs, by the program's name. */
  readonly outputNames: ReadonlyMap<string, string>;
  /** Graph output that holds each state tensor's next value, by its input's name. */
  readonly nextNames: ReadonlyMap<string, string>;
}

/** Writes a program as one ONNX model. Inputs keep their names. */
export function serializeProgram(program: Program): OnnxProgram {
  validateProgram(program);
  const writer = new ModelWriter();
  const outputNames = new Map(
    Object.entries(program.outputs).map(([name, tensor]) => [
      name,
      writer.claim(`out.${name}`, tensor),
    ]),
  );
  const nextNames = new Map(
    program.state.map(({ input, next }) => {
      const name = inputName(input);
      return [name, writer.claim(`next.${name}`, next)];
    }),
  );
  for (const node of topologicalOrder(programResults(program))) writer.add(node);
  const inputs = [...program.feeds, ...program.frozen, ...program.state.map(({ input }) => input)];
  return { bytes: writer.finish(inputs), outputNames, nextNames };
}

/** Collects nodes, constants and graph outputs, and hands out value names. */
class ModelWriter {
  private readonly nodes: NodeProto[] = [];
  private readonly initializers = new Map<string, TensorProto>();
  private readonly outputs: ValueInfoProto[] = [];
  private readonly names = new Map<Tensor, string>();
  private readonly copies: { readonly from: Tensor; readonly to: string }[] = [];

  /** Declares a graph output; a value that already has a name is copied to it at the end. */
  claim(name: string, tensor: Tensor): string {
    const taken =
      tensor.node.op === 'Input' || tensor.node.op === 'Constant' || this.names.has(tensor);
    if (taken) this.copies.push({ from: tensor, to: name });
    else this.names.set(tensor, name);
    this.outputs.push(valueInfo(name, tensor.type, tensor.shape));
    return name;
  }

  add(node: Node): void {
    if (node.op === 'Input') return;
    if (node.op === 'Constant') {
      const [tensor] = node.outputs as readonly [Tensor];
      const { data } = node.attributes;
      this.initialize(
        this.nameOf(tensor),
        tensor.type,
        tensor.shape,
        new Uint8Array(data!.buffer, data!.byteOffset, data!.byteLength),
      );
      return;
    }
    const form = operatorForm(node);
    const output = node.outputs.map(tensor => this.nameOf(tensor));
    const input = [
      ...node.inputs.map(tensor => this.nameOf(tensor)),
      ...form.integerInputs.map(values => this.integers(values)),
    ];
    const [first] = output as [string];
    if (form.castFrom) {
      const wide = `${first}.int64`;
      this.push(form.opType, input, [wide], form.attributes);
      this.push('Cast', [wide], [first], [{ name: 'to', type: 2, i: dataTypes.int32 }]);
    } else {
      this.push(form.opType, input, output, form.attributes);
    }
  }

  finish(inputs: readonly Tensor[]): Uint8Array {
    for (const { from, to } of this.copies) this.push('Identity', [this.nameOf(from)], [to], []);
    return encodeModel({
      irVersion,
      producerName: 'ligo-grow',
      opsetImport: [{ domain: '', version: opsetVersion }],
      graph: {
        name: 'program',
        node: this.nodes,
        initializer: [...this.initializers.values()],
        input: inputs.map(tensor => valueInfo(inputName(tensor), tensor.type, tensor.shape)),
        output: this.outputs,
      },
    });
  }

  private push(
    opType: string,
    input: readonly string[],
    output: readonly string[],
    attribute: NodeProto['attribute'],
  ): void {
    this.nodes.push({ name: `${opType}.${this.nodes.length}`, opType, input, output, attribute });
  }

  private nameOf(tensor: Tensor): string {
    if (tensor.node.op === 'Input') return inputName(tensor);
    const existing = this.names.get(tensor);
    if (existing !== undefined) return existing;
    const name = `value.${this.names.size}`;
    this.names.set(tensor, name);
    return name;
  }

  private integers(values: readonly number[]): string {
    const name = `int64.[${values.join()}]`;
    const data = BigInt64Array.from(values, BigInt);
    this.initialize(name, 'int64', [values.length], new Uint8Array(data.buffer));
    return name;
  }

  private initialize(
    name: string,
    type: keyof typeof dataTypes,
    dims: Shape,
    rawData: Uint8Array,
  ): void {
    this.initializers.set(name, { name, dims, dataType: dataTypes[type], rawData });
  }
}

function valueInfo(name: string, type: ElementType, shape: Shape): ValueInfoProto {
  const dim = shape.map(dimValue => ({ dimValue }));
  return { name, type: { tensorType: { elemType: dataTypes[type], shape: { dim } } } };
}
