import { ancestry, programResults, topologicalOrder, type Program } from '../graph/program';
import type { Node, Operator, Tensor } from '../graph/tensor';

/** Operators whose output may overwrite an input of the same shape, element by element. */
const elementwise: ReadonlySet<Operator> = new Set<Operator>(['Add', 'Sub', 'Mul', 'Div', 'Min']);

/** Operators whose output an engine may leave where the input lies, so that it changes with it. */
const showing: ReadonlySet<Operator> = new Set<Operator>([
  'Reshape',
  'Transpose',
  'Expand',
  'Slice',
  'Split',
]);

/**
 * State inputs (by tensor) whose memory may receive the next value: every other reader of the old
 * value runs before the node that makes the new one, in any order an engine may choose.
 */
export function inPlaceState(program: Program): Set<Tensor> {
  const order = topologicalOrder(programResults(program));
  const readers = readersOfInputs(order);
  const isBefore = ancestry(order, new Set([...readers.values()].flat()));
  const outputs = new Set(Object.values(program.outputs));
  const safe = program.state.filter(({ input, next }) => {
    if (outputs.has(input) || outputs.has(next) || !elementwise.has(next.node.op)) return false;
    return (readers.get(input) ?? []).every(reader => isBefore(reader, next.node));
  });
  return new Set(safe.map(({ input }) => input));
}

/** The next values of state that may be written over the ones before. */
export function inPlaceValues(program: Program): Set<Tensor> {
  const inputs = inPlaceState(program);
  return new Set(program.state.filter(({ input }) => inputs.has(input)).map(({ next }) => next));
}

/** The nodes that read the memory of each Input, as it is or through nodes that only show it. */
function readersOfInputs(order: readonly Node[]): Map<Tensor, Node[]> {
  const readers = new Map<Tensor, Node[]>();
  const shown = new Map<Tensor, Tensor>();
  for (const node of order) {
    for (const tensor of node.inputs) {
      const source = shown.get(tensor) ?? tensor;
      if (source.node.op !== 'Input') continue;
      readers.set(source, [...(readers.get(source) ?? []), node]);
      if (showing.has(node.op)) for (const output of node.outputs) shown.set(output, source);
    }
  }
  return readers;
}
