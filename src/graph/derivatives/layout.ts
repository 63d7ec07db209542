import { concat, expand, firstInput, reshape, scalar, split, transpose } from './shorthand';
import { onlyGradient, sumTo, type Derivative, type Derivatives } from './rule';
import type { Shape, Tensor } from '../tensor';

const zeros = (shape: Shape): Tensor => expand(scalar(0), shape);

const concatDerivative: Derivative<'Concat'> = ({ inputs, attributes }, gradients, needed) => {
  const { axis } = attributes;
  const pieces = split(
    onlyGradient(gradients),
    axis,
    inputs.map(part => part.shape[axis]!),
  );
  return pieces.map((piece, index) => (needed[index] ? piece : undefined));
};

const splitDerivative: Derivative<'Split'> = ({ attributes, outputs }, gradients) => [
  concat(
    outputs.map((output, index) => gradients[index] ?? zeros(output.shape)),
    attributes.axis,
  ),
];

const sliceDerivative: Derivative<'Slice'> = (node, gradients) => {
  const { shape } = firstInput(node);
  const { axes, starts, ends } = node.attributes;
  const [[axis], [start], [end]] = [axes, starts, ends];
  const padding = (length: number): Tensor[] =>
    length === 0 ? [] : [zeros(shape.map((size, index) => (index === axis ? length : size)))];
  return [
    concat([...padding(start), onlyGradient(gradients), ...padding(shape[axis]! - end)], axis),
  ];
};

/** Derivatives of the operators that only move elements. */
export const layoutDerivatives: Derivatives = {
  Reshape: (node, gradients) => [reshape(onlyGradient(gradients), firstInput(node).shape)],
  Transpose: ({ attributes: { perm } }, gradients) => [
    transpose(
      onlyGradient(gradients),
      perm.map((_, axis) => perm.indexOf(axis)),
    ),
  ],
  Concat: concatDerivative,
  Split: splitDerivative,
  Slice: sliceDerivative,
  Expand: (node, gradients) => [sumTo(onlyGradient(gradients), firstInput(node))],
};
