import { elementCount } from '../shape';
import {
  createTensor,
  type ElementType,
  type Shape,
  type Tensor,
  type TensorData,
} from '../tensor';

/** A value given from outside under a unique name. */
export function input(name: string, shape: Shape, type: ElementType = 'float32'): Tensor {
  return createTensor('Input', [], { name }, shape, type);
}

/** A value known when the graph is built. */
export function constant(data: TensorData, shape: Shape = [data.length]): Tensor {
  if (data.length !== elementCount(shape)) {
    throw new Error(`${data.length} values do not fill [${shape.join(', ')}]`);
  }
  return createTensor(
    'Constant',
    [],
    { data },
    shape,
    data instanceof Int32Array ? 'int32' : 'float32',
  );
}

/** A float32 constant of shape []. */
export function scalar(value: number): Tensor {
  return constant(Float32Array.of(value), []);
}

/** The name of an Input. Throws for anything else. */
export function inputName(tensor: Tensor): string {
  const { op, attributes } = tensor.node;
  if (op !== 'Input') throw new Error(`${op} is not an Input`);
  return attributes.name;
}
