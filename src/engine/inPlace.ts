import { programResults, topologicalOrder, type Program } from '../graph/program';
import type { Node, Operator, Tensor } from '../graph/tensor';

/** Operators whose output may overwrite an input of the same shape, element by element. */
const elementwise: ReadonlySet<Operator> = new Set<Operator>(['Add', 'Sub', 'Mul', 'Div', 'Min']);

/**
 * State inputs (by tensor) whose memory may receive the next value: every other reader of the old
 * value runs before the node that makes the new one, in any order an engine may choose.
 */
export function inPlaceState(program: Program): Set<Tensor> {
  const readers = new Map<Tensor, Node[]>();
  for (const node of topologicalOrder(programResults(program))) {
    for (const input of node.inputs) {
      if (input.node.op !== 'Input') continue;
      readers.set(input, [...(readers.get(input) ?? []), node]);
    }
  }
  const outputs = new Set(Object.values(program.outputs));
  const safe = program.state.filter(({ input, next }) => {
    if (outputs.has(input) || outputs.has(next) || !elementwise.has(next.node.op)) return false;
    const before = new Set(topologicalOrder([next]));
    return (readers.get(input) ?? []).every(reader => before.has(reader));
  });
  return new Set(safe.map(({ input }) => input));
}
