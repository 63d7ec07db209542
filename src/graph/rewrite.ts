import { topologicalOrder } from './program';
import { withInputs, type Node, type Tensor } from './tensor';

/** Gives the outputs that replace a node whose inputs were already rewritten. */
export type RewriteRule = (node: Node) => readonly Tensor[];

/**
 * Rebuilds the graph below `results` bottom-up. Inputs keep their identity, so a caller may hold on
 * to them. Nodes the results do not need disappear.
 */
export function rewrite(results: readonly Tensor[], rule: RewriteRule): Tensor[] {
  const replaced = new Map<Node, readonly Tensor[]>();
  const replacement = (tensor: Tensor): Tensor => {
    const output = replaced.get(tensor.node)?.[tensor.index];
    if (!output) throw new Error(`${tensor.node.op} was rewritten without output ${tensor.index}`);
    return output;
  };
  for (const node of topologicalOrder(results)) {
    const inputs = node.inputs.map(replacement);
    const unchanged = inputs.every((input, index) => input === node.inputs[index]);
    const rebuilt = unchanged ? node : withInputs(node, inputs);
    replaced.set(node, rule(rebuilt));
  }
  return results.map(replacement);
}
