import {
  add,
  constant,
  div,
  erf,
  gather,
  mul,
  reciprocal,
  reduceMean,
  reshape,
  scatterElements,
  sqrt,
  sub,
  tanh,
} from '../../graph/build';
import { rewrite } from '../../graph/rewrite';
import { elementCount } from '../../graph/shape';
import { ruleOf, type NodeOf, type Operator, type Tensor } from '../../graph/tensor';
import { rowIndices } from './kernels/indexing';

/**
 * Rewrites operators that TensorFlow.js has no kernel for in terms of others. They become nodes of
 * the graph and not part of a kernel, so that their constants are uploaded once and what lies
 * between is freed like any other value.
 */
export function decompose(results: readonly Tensor[]): Tensor[] {
  return rewrite(results, node => ruleOf<Rule>(rules, node)?.(node) ?? node.outputs);
}

type Rule<Op extends Operator = Operator> = (node: NodeOf<Op>) => readonly Tensor[] | undefined;

const gelu: Rule<'Gelu'> = ({ inputs: [x], attributes: { approximate } }) => {
  const inside =
    approximate === 'tanh'
      ? tanh(mul(add(x!, mul(mul(mul(x!, x!), x!), 0.044715)), Math.sqrt(2 / Math.PI)))
      : erf(div(x!, Math.SQRT2));
  return [mul(mul(x!, add(inside, 1)), 0.5)];
};

const layerNormalization: Rule<'LayerNormalization'> = ({ inputs, attributes: { epsilon } }) => {
  const [x, weight, bias] = inputs as readonly [Tensor, Tensor, Tensor];
  const mean = reduceMean(x, [-1], true);
  const centered = sub(x, mean);
  const variance = reduceMean(mul(centered, centered), [-1], true);
  const inverseStandardDeviation = reciprocal(sqrt(add(variance, epsilon)));
  const normalized = mul(centered, inverseStandardDeviation);
  return [add(mul(normalized, weight), bias), mean, inverseStandardDeviation];
};

const gatherElements: Rule = ({ inputs }) => {
  const [x, indices] = inputs as readonly [Tensor, Tensor];
  const picked = gather(flat(x), flatIndices(indices));
  return [reshape(picked, indices.shape)];
};

/** Only indices that are not whole rows; those have a kernel. */
const scatter: Rule = ({ inputs }) => {
  const [x, indices, updates] = inputs as readonly [Tensor, Tensor, Tensor];
  if (rowIndices(indices)) return undefined;
  return [reshape(scatterElements(flat(x), flatIndices(indices), flat(updates)), x.shape)];
};

const flat = (x: Tensor): Tensor => reshape(x, [elementCount(x.shape)]);

/** Positions in the flattened values that row indices `[n, …]` of elements stand for. */
function flatIndices(indices: Tensor): Tensor {
  const width = elementCount(indices.shape.slice(1));
  if (width === 1) return flat(indices);
  const rows = reshape(indices, [indices.shape[0]!, width]);
  const columns = constant(Int32Array.from({ length: width }, (_, column) => column));
  return flat(add(mul(rows, constant(Int32Array.of(width), [])), columns));
}

const rules: { readonly [Op in Operator]?: Rule<Op> } = {
  Gelu: gelu,
  LayerNormalization: layerNormalization,
  GatherElements: gatherElements,
  ScatterElements: scatter,
};
