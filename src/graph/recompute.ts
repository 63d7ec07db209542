import { add, mul, reshape, slice } from './build';
import { dependents } from './program';
import { elementCount } from './shape';
import { withInputs, type Node, type Tensor } from './tensor';

/** What a backward pass asks and tells while it is built, in reverse order of the forward pass. */
export interface Recomputation {
  /** The node as the backward pass reads it, given the gradients that are there so far. */
  read(node: Node, gradientOf: (tensor: Tensor) => Tensor | undefined): Node;
  /** Takes note that more was added to the gradient of a tensor. */
  contributed(tensor: Tensor): void;
}

/**
 * Activation recomputation (Chen et al. 2016, arXiv 1604.06174): nodes between two kept values are
 * read as copies that compute from the earlier one. What such a segment reads besides and nothing but
 * segments does, weights that are made of others say, is computed again as well: with the last segment
 * that reads it, for all of them.
 *
 * A segment's copies begin only when the backward pass of the next segment is through: engines order
 * nodes as they like, and would otherwise compute the copies at once, or take them for the same as the
 * originals.
 * @param order of the forward pass.
 * @param kept in the order they are computed; what follows the last one is not computed again.
 */
export function recomputation(order: readonly Node[], kept: readonly Tensor[]): Recomputation {
  const segments = segmentsOf(order, kept);
  const aside = readAside(order, segments, kept);
  /** Zero, by the number of a segment, once the backward pass of the next one is through. */
  const begun = new Map<number, Tensor>();
  /** What lies outside of segments and had its gradient added to since one began. */
  const changed = new Set<Tensor>();
  const copies = new Map<Node, Node>();

  const copyOf = (node: Node): Node => {
    const known = copies.get(node);
    if (known) return known;
    const segment = segments.get(node);
    const inputs = node.inputs.map(input => {
      if (segment !== undefined && input === kept[segment]) return add(input, begun.get(segment)!);
      const inside = segment !== undefined && segments.get(input.node) === segment;
      const isCopied = inside || begun.has(aside.get(input.node) ?? -1);
      return isCopied ? copyOf(input.node).outputs[input.index]! : input;
    });
    const copy = withInputs(
      node,
      segment === undefined ? delayed(node, inputs, begun.get(aside.get(node)!)!) : inputs,
    );
    copies.set(node, copy);
    return copy;
  };

  return {
    read(node, gradientOf) {
      // Their gradients go on from here, so nobody has to wait for them.
      for (const output of node.outputs) changed.delete(output);
      const segment = segments.get(node);
      if (segment === undefined) return begun.has(aside.get(node) ?? -1) ? copyOf(node) : node;
      if (!begun.has(segment)) {
        const due = gradientOf(kept[segment + 1]!);
        if (!due) return node;
        begun.set(segment, zeroAfter([due, ...[...changed].map(tensor => gradientOf(tensor)!)]));
        changed.clear();
      }
      return copyOf(node);
    },
    contributed(tensor) {
      if (!segments.has(tensor.node) && !kept.includes(tensor)) changed.add(tensor);
    },
  };
}

/** The segment of every node that depends on a kept value and does not come after the last one. */
function segmentsOf(order: readonly Node[], kept: readonly Tensor[]): Map<Node, number> {
  const segments = new Map<Node, number>();
  kept.forEach((tensor, segment) => {
    const beyond = dependents(order, [tensor]);
    beyond.delete(tensor.node);
    for (const node of beyond) segments.set(node, segment);
  });
  for (const [node, segment] of segments) {
    if (segment === kept.length - 1) segments.delete(node);
  }
  return segments;
}

/** What nothing but segments reads and no kept value reaches, with the last segment that reads it. */
function readAside(
  order: readonly Node[],
  segments: ReadonlyMap<Node, number>,
  kept: readonly Tensor[],
): Map<Node, number> {
  const last = new Map<Node, number>();
  /** Read by something that is not computed again, or kept. */
  const elsewhere = new Set(kept.map(({ node }) => node));
  const aside = new Map<Node, number>();
  for (const node of order.toReversed()) {
    const isSource = node.op === 'Input' || node.op === 'Constant';
    const reading = segments.get(node) ?? (elsewhere.has(node) ? undefined : last.get(node));
    if (isSource) continue;
    if (!segments.has(node) && reading !== undefined) aside.set(node, reading);
    for (const { node: read } of node.inputs) {
      if (reading === undefined) elsewhere.add(read);
      else last.set(read, Math.max(reading, last.get(read) ?? -1));
    }
  }
  return aside;
}

/** The inputs of a copy that reads no other copy: the smallest of them, but not before `zero` is there. */
function delayed(node: Node, inputs: readonly Tensor[], zero: Tensor): readonly Tensor[] {
  if (inputs.some((input, index) => input !== node.inputs[index])) return inputs;
  const values = inputs.filter(
    ({ type, shape, node: made }) =>
      type === 'float32' && shape.length > 0 && made.op !== 'Constant',
  );
  const sizes = values.map(({ shape }) => elementCount(shape));
  const smallest = values[sizes.indexOf(Math.min(...sizes))];
  return inputs.map(input => (input === smallest ? add(input, zero) : input));
}

/** Zero `[1]`, but not before these tensors are there: made of one element of each. */
function zeroAfter(tensors: readonly Tensor[]): Tensor {
  const elements = tensors.map(tensor =>
    slice(reshape(tensor, [elementCount(tensor.shape)]), 0, 0, 1),
  );
  return mul(
    elements.reduce((sum, element) => add(sum, element)),
    0,
  );
}
