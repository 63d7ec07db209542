import { topologicalOrder, type Program } from './program';
import { elementCount } from './shape';
import { firstOutput, type Node, type NodeOf, type Operator, type Tensor } from './tensor';

/** Floating-point operations of a computation, one multiplication and one addition counted as two. */
export interface FlopCount {
  /** MatMul and Gemm. */
  readonly matrix: number;
  /** Everything else that computes. */
  readonly other: number;
}

/** Operators that move or name values without computing. */
const free: ReadonlySet<Operator> = new Set<Operator>([
  'Input',
  'Constant',
  'Reshape',
  'Transpose',
  'Concat',
  'Split',
  'Slice',
  'Expand',
  'Gather',
  'GatherElements',
]);

/** Passes over the elements that an operator makes, where it is more than one. */
const passes: Partial<Record<Operator, number>> = {
  Gelu: 8,
  Softmax: 5,
  LayerNormalization: 8,
  ReduceLogSumExp: 4,
};

/** Exact operation count of everything the results need. */
export function countFlops(results: readonly Tensor[]): FlopCount {
  let matrix = 0;
  let other = 0;
  for (const node of topologicalOrder(results)) {
    if (node.op === 'Gemm' || node.op === 'MatMul') matrix += matrixFlops(node);
    else other += otherFlops(node);
  }
  return { matrix, other };
}

function matrixFlops(node: NodeOf<'Gemm'> | NodeOf<'MatMul'>): number {
  const [a] = node.inputs as readonly [Tensor];
  const transposed = node.op === 'Gemm' && node.attributes.transA;
  const inner = a.shape.at(transposed ? -2 : -1)!;
  return 2 * inner * elementCount(firstOutput(node).shape);
}

function otherFlops(node: Node): number {
  if (free.has(node.op)) return 0;
  const inputElements = node.inputs.map(({ shape }) => elementCount(shape));
  const outputElements = elementCount(firstOutput(node).shape);
  if (node.op === 'ScatterElements') return inputElements[2]!;
  return (passes[node.op] ?? 1) * Math.max(outputElements, ...inputElements);
}

/** Bytes of one tensor; both element types take four. */
export const tensorBytes = (tensor: Tensor): number => 4 * elementCount(tensor.shape);

/** Bytes of what a program keeps from run to run besides what is frozen. */
export const stateBytes = ({ state }: Program): number =>
  state.reduce((sum, { input }) => sum + tensorBytes(input), 0);

/** Most bytes alive at once: see `aliveBytes`. */
export const peakBytes = (results: readonly Tensor[], inPlace?: ReadonlySet<Tensor>): number =>
  aliveBytes(topologicalOrder(results), results, inPlace).reduce(
    (most, bytes) => Math.max(most, bytes),
    0,
  );

/**
 * Bytes alive while each node runs, when nodes run in this topological order and a value is freed
 * after its last reader. Inputs, constants and results live throughout. Reshape shares its input's
 * memory, and values that are `inPlace` are written where an input lies.
 */
export function aliveBytes(
  order: readonly Node[],
  results: readonly Tensor[],
  inPlace: ReadonlySet<Tensor> = new Set(),
): number[] {
  const owner = new Map<Tensor, Tensor>();
  const ownerOf = (tensor: Tensor): Tensor => owner.get(tensor) ?? tensor;
  const readers = new Map<Tensor, number>();
  for (const node of order) {
    if (node.op === 'Reshape') owner.set(firstOutput(node), ownerOf(node.inputs[0]!));
    for (const input of node.inputs) {
      readers.set(ownerOf(input), (readers.get(ownerOf(input)) ?? 0) + 1);
    }
  }
  const kept = new Set(results.map(ownerOf));
  const isSource = ({ node }: Tensor): boolean => node.op === 'Input' || node.op === 'Constant';
  let alive = order
    .filter(node => isSource(firstOutput(node)))
    .reduce((sum, node) => sum + tensorBytes(firstOutput(node)), 0);
  return order.map(node => {
    const produced = node.outputs.filter(
      output => !isSource(output) && !inPlace.has(output) && ownerOf(output) === output,
    );
    alive += produced.reduce((sum, output) => sum + tensorBytes(output), 0);
    const during = alive;
    const unread = produced.filter(output => !readers.has(output) && !kept.has(output));
    const finished = node.inputs.map(ownerOf).filter(input => {
      const left = readers.get(input)! - 1;
      readers.set(input, left);
      return left === 0 && !kept.has(input) && !inPlace.has(input) && !isSource(input);
    });
    alive -= [...unread, ...finished].reduce((sum, value) => sum + tensorBytes(value), 0);
    return during;
  });
}
