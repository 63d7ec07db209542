import { add, gather, gemm, reshape, slice, type Tensor } from '../graph';
import type { Lookup, Weights } from './weights';

/**
 * The sum of table rows, [n, width]. Rows given by number decide n; ranges of rows are repeated for
 * each sequence. Tables may have any common width, so grown models can sum before they widen.
 */
export function sumOfRows(tableOf: (id: string) => Tensor, lookups: readonly Lookup[]): Tensor {
  const gathered = lookups
    .filter(lookup => 'rows' in lookup)
    .map(({ table, rows }) => gather(tableOf(table), rows));
  const [first, ...others] = gathered;
  if (!first) throw new Error('An embedding needs at least one lookup with row numbers');
  const sum = others.reduce((total, rows) => add(total, rows), first);
  return lookups
    .filter(lookup => 'start' in lookup)
    .reduce((total, { table, start, count }) => {
      const rows = slice(tableOf(table), 0, start, start + count);
      const [n, width] = total.shape as [number, number];
      // One row broadcasts by itself; more than one line up with each sequence.
      if (count === 1) return add(total, rows);
      return reshape(add(reshape(total, [n / count, count, width]), rows), [n, width]);
    }, sum);
}

/**
 * Parameters as they are, without any factoring. `tensorOf` gives undefined for parameters that do
 * not exist, such as a bias the model does without; asking for one that must exist throws.
 */
export function plainWeights(tensorOf: (id: string) => Tensor | undefined): Weights {
  const tensor = (id: string): Tensor => {
    const found = tensorOf(id);
    if (!found) throw new Error(`The model has no parameter ${id}`);
    return found;
  };
  return {
    tensor,
    linear: (x, modules) =>
      modules.map(module => {
        const product = gemm(x, tensor(`${module}.weight`), { transB: true });
        const bias = tensorOf(`${module}.bias`);
        return bias ? add(product, bias) : product;
      }),
    embedding: lookups => sumOfRows(tensor, lookups),
    readout: (x, table, bias) => ({
      features: x,
      table: tensor(table),
      bias: bias === undefined ? undefined : tensor(bias),
    }),
  };
}
