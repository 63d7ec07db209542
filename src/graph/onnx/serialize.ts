import { inputName } from '../build/sources';
import {
  keptInputs,
  programResults,
  topologicalOrder,
  validateProgram,
  type Program,
} from '../program';
import type { ElementType, Node, Shape, Tensor } from '../tensor';
import { encodeGraph } from './model';
import { operatorForm } from './operatorForm';
import { halfTensors, isProduct, type HalfTensors } from './halfProducts';
import {
  attributeTypes,
  dataTypes,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './schema';
import { webgpuExpansion, type Expansion } from './webgpu';

/** A program as ONNX, with the names its values go by. */
export interface OnnxProgram {
  readonly bytes: Uint8Array;
  /** Graph output that holds each of the program's outputs, by the program's name. */
  readonly outputNames: ReadonlyMap<string, string>;
  /** Graph output that holds each state tensor's next value, by its input's name. */
  readonly nextNames: ReadonlyMap<string, string>;
}

/** How a program is written. */
export interface OnnxOptions {
  /** Operators as ONNX has them, or those alone that run on WebGPU. */
  readonly dialect?: 'onnx' | 'webgpu';
  /** Element type in which Gemm and MatMul read, compute and write; all else is float32. */
  readonly products?: 'float32' | 'float16';
}

/** Writes a program as one ONNX model. Inputs keep their names. */
export function serializeProgram(
  program: Program,
  { dialect = 'onnx', products = 'float32' }: OnnxOptions = {},
): OnnxProgram {
  validateProgram(program);
  const order = topologicalOrder(programResults(program));
  const halves = products === 'float16' ? halfTensors(order, programResults(program)) : undefined;
  const writer = new ModelWriter(dialect, halves);
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
  for (const node of order) writer.add(node);
  const inputs = [...program.feeds, ...keptInputs(program)];
  return { bytes: writer.finish(inputs), outputNames, nextNames };
}

/** Collects nodes, constants and graph outputs, and hands out value names. */
class ModelWriter {
  private readonly nodes: NodeProto[] = [];
  private readonly initializers = new Map<string, TensorProto>();
  private readonly outputs: ValueInfoProto[] = [];
  private readonly names = new Map<Tensor, string>();
  private readonly copies: { readonly from: Tensor; readonly to: string }[] = [];

  constructor(
    private readonly dialect: OnnxOptions['dialect'],
    private readonly halves: HalfTensors | undefined,
  ) {}

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
    if (this.halves && isProduct(node)) this.addHalfProduct(node, this.halves);
    else this.addNode(node);
    // Right after it was made: what only products read need not be kept as float32.
    for (const output of node.outputs) {
      if (this.halves?.madeFromFloat.has(output)) {
        this.cast(this.nameOf(output), this.halfNameOf(output), 'float16');
      }
    }
  }

  private addNode(node: Node): void {
    if (node.op === 'Input') return;
    if (node.op === 'Constant') {
      const [tensor] = node.outputs as readonly [Tensor];
      const { data } = node.attributes;
      this.initialize(
        this.nameOf(tensor),
        tensor.type,
        tensor.shape,
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      );
      return;
    }
    const expansion = this.dialect === 'webgpu' ? webgpuExpansion(node) : undefined;
    if (expansion) {
      this.expand(node, expansion);
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
      this.cast(wide, first, 'int32');
    } else {
      this.push(form.opType, input, output, form.attributes);
    }
  }

  finish(inputs: readonly Tensor[]): Uint8Array {
    for (const { from, to } of this.copies) this.push('Identity', [this.nameOf(from)], [to], []);
    return encodeGraph({
      name: 'program',
      node: this.nodes,
      initializer: [...this.initializers.values()],
      input: inputs.map(tensor => valueInfo(inputName(tensor), tensor.type, tensor.shape)),
      output: this.outputs,
    });
  }

  /** Writes a product of float16; its float32 form only where something else reads it. */
  private addHalfProduct(node: Node, halves: HalfTensors): void {
    const { opType, attributes } = operatorForm(node);
    const [output] = node.outputs as readonly [Tensor];
    const half = this.halfNameOf(output);
    const operands = node.inputs.map(tensor => this.halfNameOf(tensor));
    this.push(opType, operands, [half], attributes);
    if (halves.readAsFloat.has(output)) this.cast(half, this.nameOf(output), 'float32');
  }

  private readonly halfNameOf = (tensor: Tensor): string => `${this.nameOf(tensor)}.float16`;

  private cast(from: string, to: string, type: keyof typeof dataTypes): void {
    const attribute = { name: 'to', type: attributeTypes.int, i: dataTypes[type] };
    this.push('Cast', [from], [to], [attribute]);
  }

  /** Writes a node as several; what lies between them is named after its output. */
  private expand(node: Node, { nodes, constants }: Expansion): void {
    const [output] = node.outputs as readonly [Tensor];
    const name = this.nameOf(output);
    const inputs = node.inputs.map(tensor => this.nameOf(tensor));
    for (const [local, { data, dims }] of Object.entries(constants)) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      const type = data instanceof BigInt64Array ? 'int64' : 'float32';
      this.initialize(`${name}.${local}`, type, dims, bytes);
    }
    const named = (local: string): string => {
      const index = /^input(\d)$/.exec(local)?.[1];
      if (index !== undefined) return inputs[Number(index)]!;
      return local === 'output' ? name : `${name}.${local}`;
    };
    for (const { opType, input, output: to, attributes = [] } of nodes) {
      this.push(opType, input.map(named), [named(to)], attributes);
    }
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
