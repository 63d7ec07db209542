import type { Node, Tensor } from '../tensor';

export * from '../build';

/** Input 0 of a node. */
export function firstInput(node: Pick<Node, 'op' | 'inputs'>): Tensor {
  const [input] = node.inputs;
  if (!input) throw new Error(`${node.op} has no input`);
  return input;
}
