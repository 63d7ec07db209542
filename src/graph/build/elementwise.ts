import { broadcastShapes } from '../shape';
import { createTensor, type PlainOperator, type Tensor } from '../tensor';
import { scalar } from './sources';

/** A tensor, or a number that stands for a scalar constant. */
export type Operand = Tensor | number;

const asTensor = (operand: Operand): Tensor =>
  typeof operand === 'number' ? scalar(operand) : operand;

function binary(op: PlainOperator, a: Operand, b: Operand): Tensor {
  const left = asTensor(a);
  const right = asTensor(b);
  if (left.type !== right.type) throw new Error(`${op} of ${left.type} and ${right.type}`);
  return createTensor(op, [left, right], {}, broadcastShapes(left.shape, right.shape), left.type);
}

const unary = (op: PlainOperator, x: Tensor): Tensor => createTensor(op, [x], {}, x.shape, x.type);

/** a + b with broadcasting. */
export const add = (a: Operand, b: Operand): Tensor => binary('Add', a, b);
/** a − b with broadcasting. */
export const sub = (a: Operand, b: Operand): Tensor => binary('Sub', a, b);
/** a · b with broadcasting. */
export const mul = (a: Operand, b: Operand): Tensor => binary('Mul', a, b);
/** a / b with broadcasting. */
export const div = (a: Operand, b: Operand): Tensor => binary('Div', a, b);
/** The smaller of a and b, with broadcasting. */
export const min = (a: Operand, b: Operand): Tensor => binary('Min', a, b);
/** −x. */
export const neg = (x: Tensor): Tensor => unary('Neg', x);
/** 1 / x. */
export const reciprocal = (x: Tensor): Tensor => unary('Reciprocal', x);
/** √x. */
export const sqrt = (x: Tensor): Tensor => unary('Sqrt', x);
/** eˣ. */
export const exp = (x: Tensor): Tensor => unary('Exp', x);
/** Natural logarithm. */
export const log = (x: Tensor): Tensor => unary('Log', x);
/** The error function. */
export const erf = (x: Tensor): Tensor => unary('Erf', x);
/** Hyperbolic tangent. */
export const tanh = (x: Tensor): Tensor => unary('Tanh', x);
/** 1 / (1 + e⁻ˣ). */
export const sigmoid = (x: Tensor): Tensor => unary('Sigmoid', x);
/** max(x, 0). */
export const relu = (x: Tensor): Tensor => unary('Relu', x);
/** −1, 0 or 1; its gradient is zero everywhere and is not defined here. */
export const sign = (x: Tensor): Tensor => unary('Sign', x);
/** GELU: exact with the error function, or its tanh approximation. */
export const gelu = (x: Tensor, approximate: 'none' | 'tanh' = 'none'): Tensor =>
  createTensor('Gelu', [x], { approximate }, x.shape);
