import { inputName } from './build/sources';
import { sameShape } from './shape';
import type { Node, Tensor } from './tensor';

/** A value that stays on the device: the next run reads what this run computed. */
export interface StateTensor {
  /** The Input that holds the value before the run. */
  readonly input: Tensor;
  /** What it becomes; the same shape and type. */
  readonly next: Tensor;
  /** True when the value before the first run is zero unless another is loaded. */
  readonly startsAtZero?: boolean;
}

/** A whole computation: what an engine compiles and steps. */
export interface Program {
  /** Inputs given at every run. */
  readonly feeds: readonly Tensor[];
  /** Inputs given once and kept on the device. */
  readonly frozen: readonly Tensor[];
  readonly state: readonly StateTensor[];
  /** What every run gives back, by name. */
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** Inputs that keep their values between runs: frozen ones, then state. */
export const keptInputs = ({ frozen, state }: Program): Tensor[] => [
  ...frozen,
  ...state.map(({ input }) => input),
];

/** Everything a program computes. */
export function programResults(program: Program): Tensor[] {
  return [...Object.values(program.outputs), ...program.state.map(({ next }) => next)];
}

/** Every node the results need, each after the nodes it reads; the order is deterministic. */
export function topologicalOrder(results: readonly Tensor[]): Node[] {
  const order: Node[] = [];
  const visited = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  const visit = (node: Node): void => {
    if (visited.has(node)) return;
    visited.add(node);
    stack.push({ node, next: 0 });
  };
  for (const result of results) {
    visit(result.node);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const input = top.node.inputs[top.next++];
      if (input) {
        visit(input.node);
      } else {
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
}

/** Nodes whose value depends on one of the tensors, the tensors' own nodes included. */
export function dependents(order: readonly Node[], tensors: readonly Tensor[]): Set<Node> {
  const found = new Set(tensors.map(({ node }) => node));
  for (const node of order) {
    if (node.inputs.some(input => found.has(input.node))) found.add(node);
  }
  return found;
}

/**
 * Tells whether a node is made of one of these, or is it. One pass over the program answers for all of
 * them, in bits for each node.
 * @param order of the whole program
 */
export function ancestry(
  order: readonly Node[],
  these: ReadonlySet<Node>,
): (one: Node, node: Node) => boolean {
  const bitOf = new Map([...these].map((node, bit) => [node, bit]));
  const words = Math.ceil(bitOf.size / 32);
  const placeOf = new Map(order.map((node, at) => [node, at * words]));
  const bits = new Uint32Array(order.length * words);
  for (const node of order) {
    const place = placeOf.get(node)!;
    for (const { node: read } of node.inputs) {
      const from = placeOf.get(read)!;
      for (let word = 0; word < words; word++) bits[place + word]! |= bits[from + word]!;
    }
    const bit = bitOf.get(node);
    if (bit !== undefined) bits[place + (bit >> 5)]! |= 1 << (bit & 31);
  }
  return (one, node) => {
    const bit = bitOf.get(one)!;
    return ((bits[placeOf.get(node)! + (bit >> 5)]! >>> (bit & 31)) & 1) === 1;
  };
}

/**
 * Throws when the results read an Input that the program does not declare, names repeat, or state
 * would change its shape or type.
 */
export function validateProgram(program: Program): void {
  const declared = new Map<string, Tensor>();
  for (const tensor of [...program.feeds, ...keptInputs(program)]) {
    const name = inputName(tensor);
    if (declared.has(name)) throw new Error(`Two inputs of the program share a name: "${name}"`);
    declared.set(name, tensor);
  }
  for (const { op, outputs } of topologicalOrder(programResults(program))) {
    const [tensor] = outputs;
    if (op !== 'Input' || !tensor) continue;
    const name = inputName(tensor);
    const known = declared.get(name);
    if (!known) throw new Error(`The program reads "${name}" but does not declare it`);
    // ONNX would take both for one value, and an engine would miss readers of the old state.
    if (known.node !== tensor.node) {
      throw new Error(`The program reads another input named "${name}" than it declares`);
    }
  }
  for (const { input, next } of program.state) {
    if (next.type === input.type && sameShape(next.shape, input.shape)) continue;
    throw new Error(
      `State "${inputName(input)}" would become ${next.type} [${next.shape.join(', ')}]`,
    );
  }
}
