import { onnxRuntimeCpu, openWebGpu, type Engine } from '../../src/engine';
import { engineFolder, folderOf } from '../../src/engine/folder';
import { openTfjs } from '../../src/engine/tfjs';

/**
 * The engine that golden tests run on: the CPU, or what LIGO_TEST_ENGINE names (webgpu, tfjs-cpu,
 * tfjs-wasm, tfjs-node, tfjs-gpu). `node scripts/test.mjs engines` runs them on each that this machine can.
 */
export async function testEngine(options: { threads?: number } = {}): Promise<Engine> {
  const name = process.env['LIGO_TEST_ENGINE'] ?? 'cpu';
  switch (name) {
    case 'cpu':
      return onnxRuntimeCpu(options);
    case 'webgpu':
      return openWebGpu();
    case 'tfjs-cpu':
      return openTfjs({ backend: 'cpu' });
    case 'tfjs-wasm':
      return openTfjs({ backend: 'wasm' });
    case 'tfjs-node':
      return openTfjs({ backend: 'node', folder: folderOf('tfjs-node', engineFolder()) });
    case 'tfjs-gpu':
      return openTfjs({ backend: 'gpu', folder: folderOf('tfjs-gpu', engineFolder()) });
    default:
      throw new Error(`LIGO_TEST_ENGINE names no engine: ${name}`);
  }
}
