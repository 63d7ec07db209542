export * from './engine';
export { onnxRuntimeCpu } from './onnxruntime/cpu';
