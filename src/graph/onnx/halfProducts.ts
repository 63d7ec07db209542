import type { Node, Tensor } from '../tensor';

/** Which tensors exist as float16 when products compute in it. */
export interface HalfTensors {
  /** Read by a product and made by something else: cast once. */
  readonly madeFromFloat: ReadonlySet<Tensor>;
  /** Made by a product and read by something else, or a result. */
  readonly readAsFloat: ReadonlySet<Tensor>;
}

/** Matrix products, in which nearly all of a step's operations are. */
export const isProduct = ({ op }: Node): boolean => op === 'Gemm' || op === 'MatMul';

/** Finds where float16 begins and ends in a graph whose products compute in it. */
export function halfTensors(order: readonly Node[], results: readonly Tensor[]): HalfTensors {
  const readByProducts = order.filter(isProduct).flatMap(({ inputs }) => inputs);
  const readByOthers = order.filter(node => !isProduct(node)).flatMap(({ inputs }) => inputs);
  return {
    madeFromFloat: new Set(readByProducts.filter(({ node }) => !isProduct(node))),
    readAsFloat: new Set([...readByOthers, ...results].filter(({ node }) => isProduct(node))),
  };
}
