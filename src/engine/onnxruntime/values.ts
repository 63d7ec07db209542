import type * as ort from 'onnxruntime-node';
import { inputName } from '../../graph/build/sources';
import type { Tensor, TensorData } from '../../graph/tensor';
import type { Precision } from '../engine';
import { checkValues } from '../values';

/** How products are written at a precision. */
export const productsAt = (precision: Precision = 'float32'): 'float32' | 'float16' =>
  precision === 'mixed' ? 'float16' : 'float32';

/** The package itself: CUDA's lies where it was installed, the others' beside us. */
export type OnnxRuntime = Pick<typeof ort, 'InferenceSession' | 'Tensor' | 'env'>;

/** Version of the native library. */
export const runtimeVersion = ({ env }: OnnxRuntime): string =>
  env.versions.node ?? env.versions.common;

/** Values for an Input as the runtime takes them, not copied. Throws where count or type differ. */
export function toOrt(runtime: OnnxRuntime, tensor: Tensor, data: TensorData): ort.Tensor {
  checkValues(tensor, data);
  return data instanceof Int32Array
    ? new runtime.Tensor('int32', data, tensor.shape)
    : new runtime.Tensor('float32', data, tensor.shape);
}

/** The values of a tensor that lies in main memory, not copied. */
export const dataOf = (tensor: ort.Tensor): TensorData => tensor.data as TensorData;

/** The feeds of one run. Throws when one is missing. */
export function toFeeds(
  runtime: OnnxRuntime,
  feeds: readonly Tensor[],
  values: Readonly<Record<string, TensorData>>,
): Record<string, ort.Tensor> {
  return Object.fromEntries(
    feeds.map(tensor => {
      const name = inputName(tensor);
      const data = values[name];
      if (!data) throw new Error(`The run was not fed "${name}"`);
      return [name, toOrt(runtime, tensor, data)];
    }),
  );
}
