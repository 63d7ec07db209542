import type * as ort from 'onnxruntime-node';
import type { Program } from '../../graph/program';
import type { Tensor, TensorData } from '../../graph/tensor';
import type { NamedData, Precision } from '../engine';
import { valuesToFeed } from '../values';

/** How products are written at a precision. */
export const productsAt = (precision: Precision = 'float32'): 'float32' | 'float16' =>
  precision === 'mixed' ? 'float16' : 'float32';

/** The package itself: CUDA's lies where it was installed, the others' beside us. */
export type OnnxRuntime = Pick<typeof ort, 'InferenceSession' | 'Tensor' | 'env'>;

/** Version of the native library. */
export const runtimeVersion = ({ env }: OnnxRuntime): string =>
  env.versions.node ?? env.versions.common;

/** Values of an Input as the runtime takes them, not copied. */
export const toOrt = (runtime: OnnxRuntime, tensor: Tensor, data: TensorData): ort.Tensor =>
  data instanceof Int32Array
    ? new runtime.Tensor('int32', data, tensor.shape)
    : new runtime.Tensor('float32', data, tensor.shape);

/** The values of a tensor that lies in main memory, not copied. */
export const dataOf = (tensor: ort.Tensor): TensorData => tensor.data as TensorData;

/** The feeds of one run. Throws where one is missing, or count or type differ. */
export const toFeeds = (
  runtime: OnnxRuntime,
  program: Program,
  feeds: NamedData,
): Record<string, ort.Tensor> =>
  Object.fromEntries(
    valuesToFeed(program, feeds).map(({ name, tensor, data }) => [
      name,
      toOrt(runtime, tensor, data),
    ]),
  );
