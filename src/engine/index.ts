export * from './engine';
export { onnxRuntimeCpu } from './onnxruntime/cpu';
export { inPlaceValues } from './inPlace';
export { openWebGpu } from './onnxruntime/webgpu';
export { openEngine, type ChosenEngine, type DeviceMemory } from './open';
