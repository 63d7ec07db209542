export * from './build';
export * from './cost';
export { gradients, isDifferentiable, type GradientOptions } from './differentiate';
export * from './program';
export { evaluate } from './reference';
export * from './shape';
export { simplify, simplifyProgram } from './simplify';
export * from './tensor';
export { serializeProgram } from './onnx/serialize';
