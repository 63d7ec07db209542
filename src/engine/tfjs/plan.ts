import { topologicalOrder } from '../../graph/program';
import type { Node, Tensor } from '../../graph/tensor';
import type { Kernel, Target, Value } from './kernels/kernel';
import { kernelOf } from './kernels';

/** One kernel with the places of its values. */
interface Step {
  readonly run: Kernel['run'];
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  /** Places nobody reads after this step. */
  readonly frees: readonly number[];
}

/** A computation laid out in order, every value with a place. */
export interface Plan {
  readonly steps: readonly Step[];
  /** The Inputs and Constants that are read, or are results. */
  readonly sources: readonly Tensor[];
  /** Where a source or a result lies. */
  readonly placeOf: (tensor: Tensor) => number;
}

const isSource = ({ op }: Node): boolean => op === 'Input' || op === 'Constant';

/** Lays out everything the results need: each node once, each value freed after its last reader. */
export function planRun(results: readonly Tensor[], target: Target): Plan {
  const { kernels, needed } = neededKernels(results, target);
  const places = new Map<Tensor, number>();
  const place = (tensor: Tensor): number => {
    const known = places.get(tensor);
    if (known !== undefined) return known;
    places.set(tensor, places.size);
    return places.size - 1;
  };
  const sources = [...needed].filter(({ node }) => isSource(node));
  sources.forEach(place);
  const lastReader = new Map<Tensor, Node>();
  for (const [node, { reads }] of kernels) {
    for (const tensor of [...node.outputs, ...reads]) lastReader.set(tensor, node);
  }
  const kept = new Set([...results, ...sources]);
  const freedAfter = new Map<Node, Tensor[]>();
  for (const [tensor, node] of lastReader) {
    if (!kept.has(tensor)) freedAfter.set(node, [...(freedAfter.get(node) ?? []), tensor]);
  }
  const steps = kernels.map(([node, { reads, run }]) => ({
    run,
    reads: reads.map(place),
    writes: node.outputs.map(place),
    frees: (freedAfter.get(node) ?? []).map(place),
  }));
  return { steps, sources, placeOf: tensor => places.get(tensor)! };
}

/** The kernels to run, in order. A kernel may leave an input of its node unread, and what makes it too. */
function neededKernels(results: readonly Tensor[], target: Target) {
  const needed = new Set(results);
  const kernels: (readonly [Node, Kernel])[] = [];
  for (const node of topologicalOrder(results).reverse()) {
    if (isSource(node) || !node.outputs.some(output => needed.has(output))) continue;
    const kernel = kernelOf(node, target);
    kernels.push([node, kernel]);
    for (const tensor of kernel.reads) needed.add(tensor);
  }
  return { kernels: kernels.reverse(), needed };
}

/**
 * Runs a plan. `values` holds the sources by place and receives the results; what lies between is
 * freed on the way, or left to the caller when a kernel throws.
 */
export function runPlan({ steps }: Plan, values: (Value | undefined)[]): void {
  for (const { run, reads, writes, frees } of steps) {
    const outputs = run(...reads.map(at => values[at]!));
    outputs.forEach((value, index) => (values[writes[index]!] = value));
    for (const at of frees) {
      values[at]!.dispose();
      values[at] = undefined;
    }
  }
}
