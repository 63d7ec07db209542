import type * as ort from 'onnxruntime-node';
import { UserError } from '../../errors';
import { expand } from '../../graph/build/layout';
import { input } from '../../graph/build/sources';
import { add } from '../../graph/build/elementwise';
import { gemm } from '../../graph/build/matrix';
import { reduceMax } from '../../graph/build/reduction';
import { tensorBytes } from '../../graph/cost';
import { serializeProgram } from '../../graph/onnx/serialize';
import { programResults, topologicalOrder, type Program } from '../../graph/program';
import { elementCount } from '../../graph/shape';
import { toOrt, type OnnxRuntime } from './values';
import { saidBy } from './saidBy';
import { lower, set } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** Bytes of one tensor that every WebGPU adapter takes (`maxStorageBufferBindingSize`'s default). */
const guaranteedTensorBytes = 128 * 2 ** 20;

/**
 * Tries the largest tensor of a program on the device when it is larger than what every adapter
 * takes. The runtime does not tell an adapter's limits, and it binds one tensor in several parts up to
 * a number of them, so the device itself is asked. Throws UserError with the sizes.
 */
export async function checkTensorSizes(
  program: Program,
  runtime: OnnxRuntime,
  open: (model: Uint8Array) => Promise<ort.InferenceSession>,
): Promise<void> {
  const tensors = topologicalOrder(programResults(program)).flatMap(({ outputs }) => outputs);
  const bytes = tensors.reduce((most, tensor) => Math.max(most, tensorBytes(tensor)), 0);
  if (bytes <= guaranteedTensorBytes) return;
  const one = input('one', [1]);
  const largest = expand(one, [bytes / 4]);
  const { bytes: model } = serializeProgram(
    { feeds: [one], frozen: [], state: [], outputs: { two: reduceMax(add(largest, one)) } },
    { dialect: 'webgpu' },
  );
  const session = await open(model);
  try {
    await session.run({ one: toOrt(runtime, one, new Float32Array(elementCount(one.shape))) });
  } catch (error) {
    throw new UserError(
      `The graphics adapter is too small: the largest tensor of this plan takes ${(bytes / 1e9).toFixed(1)} GB (${saidBy(error)}).`,
      advise`${lower('batch', 'sequenceLength')}, or ${set('engine', 'cpu')}.`,
      { cause: error },
    );
  } finally {
    await session.release();
  }
}

/** Throws UserError when the adapter does not compute in float16 (WebGPU's feature `shader-f16`). */
export async function requireFloat16(
  runtime: OnnxRuntime,
  open: (model: Uint8Array) => Promise<ort.InferenceSession>,
): Promise<void> {
  const one = input('one', [1, 1]);
  const { bytes } = serializeProgram(
    { feeds: [one], frozen: [], state: [], outputs: { product: gemm(one, one) } },
    { dialect: 'webgpu', products: 'float16' },
  );
  const session = await open(bytes);
  try {
    await session.run({ one: toOrt(runtime, one, Float32Array.of(1)) });
  } catch (error) {
    throw new UserError(
      'The graphics adapter has no float16 (shader-f16).',
      advise`${set('precision', 'float32')}.`,
      { cause: error },
    );
  } finally {
    await session.release();
  }
}
