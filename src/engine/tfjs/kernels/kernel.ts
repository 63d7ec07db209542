import type * as tfjs from '@tensorflow/tfjs-core';
import type { NodeOf, Operator, Tensor } from '../../../graph/tensor';

/** TensorFlow.js itself, loaded when an engine is opened. */
export type Tf = typeof tfjs;

/** A value on TensorFlow.js's backend. It lives until somebody disposes of it. */
export type Value = tfjs.Tensor;

/** What kernels are made for. */
export interface Target {
  readonly tf: Tf;
  /** Transposing a matrix before its product is faster than on the way. */
  readonly transposeFirst: boolean;
}

/** One node, ready to run again and again. */
export interface Kernel {
  /** The graph's values it computes from, in the order `run` takes them. */
  readonly reads: readonly Tensor[];
  /** Gives a new value for each output of the node; the caller disposes of them. */
  readonly run: (...values: Value[]) => readonly Value[];
}

/** Makes the kernel of a node; everything that does not change from run to run happens here. */
export type KernelRule<Op extends Operator = Operator> = (
  node: NodeOf<Op>,
  target: Target,
) => Kernel;

/** Rules of some operators, each for its own nodes. */
export type KernelRules = { readonly [Op in Operator]?: KernelRule<Op> };

/** The rule of an operator with one output that reads all its inputs. */
export const computing =
  <Op extends Operator>(
    make: (target: Target, node: NodeOf<Op>) => (...values: Value[]) => Value,
  ): KernelRule<Op> =>
  (node, target) => {
    const compute = make(target, node);
    return { reads: node.inputs, run: (...values) => [compute(...values)] };
  };
