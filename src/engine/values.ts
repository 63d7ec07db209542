import { inputName } from '../graph/build/sources';
import { elementCount } from '../graph/shape';
import type { Tensor, TensorData } from '../graph/tensor';

/** Throws where the count or type of values is not the Input's. */
export function checkValues(tensor: Tensor, data: TensorData): void {
  if (data.length !== elementCount(tensor.shape)) {
    throw new Error(
      `"${inputName(tensor)}" takes [${tensor.shape.join(', ')}], got ${data.length} values`,
    );
  }
  if ((data instanceof Int32Array ? 'int32' : 'float32') !== tensor.type) {
    throw new Error(`"${inputName(tensor)}" takes ${tensor.type}`);
  }
}

/** Zeros of a tensor's shape and type. */
export const zeros = ({ shape, type }: Tensor): TensorData =>
  type === 'int32' ? new Int32Array(elementCount(shape)) : new Float32Array(elementCount(shape));
