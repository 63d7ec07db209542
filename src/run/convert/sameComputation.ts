import { plainWeights, type Architecture } from '../../architecture';
import { input, type Node, type Tensor } from '../../graph';

/** Tokens of the sequence that both compute: enough for positions to differ. */
const TOKENS = 4;
/** Metadata holds numbers as float32. */
const TOLERANCE = 1e-5;

/** Whether two models of the same parameters compute the same of them: their forward passes, operator by operator. */
export function computeTheSame(a: Architecture, b: Architecture): boolean {
  if (a.objective !== b.objective || a.head !== b.head) return false;
  const shapes = ({ parameters }: Architecture): string =>
    JSON.stringify(parameters.map(({ id, shape }) => [id, shape]));
  if (shapes(a) !== shapes(b)) return false;
  const [first, second] = [forward(a), forward(b)];
  const compare = comparison();
  return (
    first.softCap === second.softCap &&
    compare(first.features, second.features) &&
    compare(first.table, second.table)
  );
}

function forward(architecture: Architecture) {
  const shapes = new Map(architecture.parameters.map(({ id, shape }) => [id, shape]));
  const weights = plainWeights(id => {
    const shape = shapes.get(id);
    return shape && input(id, shape);
  });
  const inputIds = input('ids', [TOKENS], 'int32');
  return architecture
    .forward(weights, { batchSize: 1, sequenceLength: TOKENS, inputIds })
    .readout();
}

/** Compares values by what they are computed of, each pair of nodes once. */
function comparison(): (a: Tensor, b: Tensor) => boolean {
  const seen = new Map<Node, Node>();
  const same = (a: Tensor, b: Tensor): boolean =>
    a.index === b.index && a.shape.join() === b.shape.join() && sameNodes(a.node, b.node);
  const sameNodes = (a: Node, b: Node): boolean => {
    if (seen.get(a) === b) return true;
    const isSame =
      a.op === b.op &&
      a.inputs.length === b.inputs.length &&
      sameAttributes(a.attributes, b.attributes) &&
      a.inputs.every((tensor, index) => same(tensor, b.inputs[index]!));
    if (isSame) seen.set(a, b);
    return isSame;
  };
  return same;
}

function sameAttributes(a: object, b: object): boolean {
  const entries = Object.entries(a);
  const others = b as Readonly<Record<string, unknown>>;
  return (
    entries.length === Object.keys(b).length &&
    entries.every(([name, value]) => sameValues(value, others[name]))
  );
}

function sameValues(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return near(a, b);
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) {
    const [x, y] = [a as Float32Array, b as Float32Array];
    return x.length === y.length && x.every((value, index) => near(value, y[index]!));
  }
  return JSON.stringify(a) === JSON.stringify(b);
}

const near = (a: number, b: number): boolean =>
  a === b || Math.abs(a - b) <= TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
