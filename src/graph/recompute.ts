import { add, mul, reshape, slice } from './build';
import { dependents } from './program';
import { elementCount } from './shape';
import { withInputs, type Node, type Tensor } from './tensor';

/** What a backward pass asks and tells while it is built, in reverse order of the forward pass. */
export interface Recomputation {
  /** The node as the backward pass reads it, given the gradients that are complete so far. */
  read(node: Node, gradientOf: (tensor: Tensor) => Tensor | undefined): Node;
  /** Takes note of what the derivative of `node` adds to the gradient of `input`. */
  contributed(node: Node, input: Tensor, gradient: Tensor): void;
}

/**
 * Activation recomputation (Chen et al. 2016, arXiv 1604.06174): nodes between two kept values are
 * read as copies that compute from the earlier one. A segment's copies begin only when the backward
 * pass of the next segment is through: engines order nodes as they like, and would otherwise compute
 * the copies at once, or take them for the same as the originals.
 * @param order of the forward pass.
 * @param kept in the order they are computed; what follows the last one is not computed again.
 */
export function recomputation(order: readonly Node[], kept: readonly Tensor[]): Recomputation {
  const segments = segmentsOf(order, kept);
  /** What each segment computes from again. */
  const starts = new Map<number, Tensor>();
  /** Gradients of weights that each segment's backward pass gives. */
  const given = kept.map((): Tensor[] => []);
  const copies = new Map<Node, Node>();

  const copyOf = (node: Node, segment: number): Node => {
    const known = copies.get(node);
    if (known) return known;
    const inputs = node.inputs.map(input => {
      if (input === kept[segment]) return starts.get(segment)!;
      if (segments.get(input.node) !== segment) return input;
      return copyOf(input.node, segment).outputs[input.index]!;
    });
    const copy = withInputs(node, inputs);
    copies.set(node, copy);
    return copy;
  };

  return {
    read(node, gradientOf) {
      const segment = segments.get(node);
      if (segment === undefined) return node;
      if (!starts.has(segment)) {
        const due = gradientOf(kept[segment + 1]!);
        if (!due) return node;
        starts.set(segment, after(kept[segment]!, [due, ...given[segment + 1]!]));
      }
      return copyOf(node, segment);
    },
    contributed(node, input, gradient) {
      const segment = segments.get(node);
      if (segment === undefined || input === kept[segment]) return;
      if (segments.get(input.node) !== segment) given[segment]!.push(gradient);
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

/** x, but not before other tensors are there: adds nothing to it, by way of one element of each. */
function after(x: Tensor, others: readonly Tensor[]): Tensor {
  const elements = others.map(other => slice(reshape(other, [elementCount(other.shape)]), 0, 0, 1));
  return add(
    x,
    mul(
      elements.reduce((sum, element) => add(sum, element)),
      0,
    ),
  );
}
