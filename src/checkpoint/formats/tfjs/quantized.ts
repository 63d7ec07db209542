import { bytesPerElement, type StoredType } from '../../elementTypes';
import { float16ToFloat32 } from '../../halfFloats';
import { computed } from '../../layouts/computed';
import { contiguous } from '../../layouts/contiguous';
import type { Layout } from '../../layouts/layout';
import type { ManifestWeight, Quantization } from './manifest';

const storedType = { uint8: 'U8', uint16: 'U16', float16: 'F16' } as const;

/** Bytes that one element of a tensor takes in the files. */
export const storedBytes = ({ type, quantization }: ManifestWeight): number =>
  bytesPerElement(quantization ? storedType[quantization.dtype] : (type as StoredType));

/** Quantised elements from a byte on, as TensorFlow.js computes them: in float64, then rounded. */
export function quantized(type: StoredType, quantization: Quantization, begin: number): Layout {
  return computed(contiguous(storedType[quantization.dtype], begin), bytes => {
    const { buffer } = bytes;
    if (quantization.dtype === 'float16') {
      return new Uint8Array(float16ToFloat32(new Uint16Array(buffer)).buffer);
    }
    const { dtype, scale, min } = quantization;
    const stored = dtype === 'uint8' ? new Uint8Array(buffer) : new Uint16Array(buffer);
    const values = type === 'I32' ? new Int32Array(stored.length) : new Float32Array(stored.length);
    const round = type === 'I32' ? Math.round : (value: number) => value;
    for (let i = 0; i < stored.length; i++) values[i] = round(stored[i]! * scale + min);
    return new Uint8Array(values.buffer);
  });
}
