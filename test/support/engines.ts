import { onnxRuntimeCpu, type Engine } from '../../src/engine';

/**
 * The engine that golden tests run on: the CPU, or what LIGO_TEST_ENGINE names (webgpu, tfjs-cpu,
 * tfjs-wasm, tfjs-node). `node scripts/test.mjs engines` runs them on each that this machine can.
 */
export async function testEngine(options: { threads?: number } = {}): Promise<Engine> {
  const name = process.env['LIGO_TEST_ENGINE'] ?? 'cpu';
  switch (name) {
    case 'cpu':
      return onnxRuntimeCpu(options);
    default:
      throw new Error(`LIGO_TEST_ENGINE names no engine: ${name}`);
  }
}

/** Largest relative error that engine may have where ONNX Runtime's CPU may have `cpu`. */
export const engineTolerance = (cpu: number): number =>
  (process.env['LIGO_TEST_ENGINE'] ?? 'cpu') === 'cpu' ? cpu : 4 * cpu;
