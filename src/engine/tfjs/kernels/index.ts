import { ruleOf, type Node } from '../../../graph/tensor';
import { elementwiseKernels } from './elementwise';
import { indexingKernels } from './indexing';
import type { Kernel, KernelRule, KernelRules, Target } from './kernel';
import { layoutKernels } from './layout';
import { matrixKernels } from './matrix';
import { reductionKernels } from './reduction';

const kernels: KernelRules = {
  ...elementwiseKernels,
  ...indexingKernels,
  ...layoutKernels,
  ...matrixKernels,
  ...reductionKernels,
};

/** The kernel of a node. Throws for operators that `decompose` leaves none of. */
export function kernelOf(node: Node, target: Target): Kernel {
  const rule = ruleOf<KernelRule>(kernels, node);
  if (!rule) throw new Error(`${node.op} has no TensorFlow.js kernel`);
  return rule(node, target);
}
