export * from './engine';
export { onnxRuntimeCpu } from './onnxruntime/cpu';
export { openWebGpu } from './onnxruntime/webgpu';
export { openEngine, type ChosenEngine, type DeviceMemory, type EngineRequest } from './open';
