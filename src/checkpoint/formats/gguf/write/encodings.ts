import { areFinite, fromFloat32, toFloat32, type StoredType } from '../../../elementTypes';
import { float32ToFloat16 } from '../../../halfFloats';

/** How the numbers of a tensor are written. */
export interface Encoding {
  /** As llama.cpp calls it, in names of files too. */
  readonly name: string;
  /** `ggml_type` in ggml.h. */
  readonly number: number;
  /** Numbers of a block, and its bytes; 1 where they stand one by one. */
  readonly elements: number;
  readonly bytes: number;
  /** Whole blocks of numbers of a type, as they are written; undefined where some are too large for that. */
  readonly encode: (bytes: Uint8Array, type: StoredType) => Uint8Array | undefined;
}

const plain = (type: 'F32' | 'F16' | 'BF16', number: number, bytes: number): Encoding => ({
  name: type,
  number,
  elements: 1,
  bytes,
  encode(given, from) {
    if (from === type) return given;
    const values = toFloat32(given, from);
    const encoded = fromFloat32(values, type);
    return areFinite(encoded, type) || !areFinite(given, from) ? encoded : undefined;
  },
});

const BLOCK = 32;

/** 32 numbers: a factor as float16, then whole numbers of 8 bits, as the package `gguf` rounds them. */
const q8_0: Encoding = {
  name: 'Q8_0',
  number: 8,
  elements: BLOCK,
  bytes: BLOCK + 2,
  encode(given, from) {
    const values = toFloat32(given, from);
    const blocks = values.length / BLOCK;
    const factors = new Float32Array(blocks);
    const out = new Uint8Array(blocks * (BLOCK + 2));
    for (let block = 0; block < blocks; block++) {
      const first = block * BLOCK;
      let largest = 0;
      for (let i = first; i < first + BLOCK; i++) largest = Math.max(largest, Math.abs(values[i]!));
      const factor = Math.fround(largest / 127);
      factors[block] = factor;
      const inverse = factor === 0 ? 0 : Math.fround(1 / factor);
      for (let i = 0; i < BLOCK; i++) {
        out[block * (BLOCK + 2) + 2 + i] = roundedHalfUp(Math.fround(values[first + i]! * inverse));
      }
    }
    const halves = float32ToFloat16(factors);
    for (let block = 0; block < blocks; block++) {
      const half = halves[block]!;
      if ((half & 0x7c00) === 0x7c00) return undefined;
      out[block * (BLOCK + 2)] = half & 0xff;
      out[block * (BLOCK + 2) + 1] = half >> 8;
    }
    return out;
  },
};

/** To the nearest whole number, halves away from 0; what is none becomes 0, as in NumPy. */
function roundedHalfUp(value: number): number {
  if (!Number.isFinite(value)) return 0;
  const size = Math.abs(value);
  const whole = Math.floor(size);
  return Math.sign(value) * (whole + Math.floor(2 * (size - whole)));
}

export const encodings = {
  f32: plain('F32', 0, 4),
  f16: plain('F16', 1, 2),
  bf16: plain('BF16', 30, 2),
  q8_0,
} as const;
export type EncodingName = keyof typeof encodings;

/** What `general.file_type` calls files whose matrices are so (`llama_ftype` in llama.h). */
export const fileTypes: Readonly<Record<EncodingName, number>> = {
  f32: 0,
  f16: 1,
  bf16: 32,
  q8_0: 7,
};

/**
 * How llama.cpp's converter stores a tensor: norms, biases and positions as float32, and what has rows
 * that are no whole blocks as float16.
 */
export function encodingOf(name: string, shape: readonly number[], asked: EncodingName): Encoding {
  const isSmall = shape.length < 2 || name.endsWith('_norm.weight') || !name.endsWith('.weight');
  if (isSmall || name === 'position_embd.weight') return encodings.f32;
  return shape.at(-1)! % encodings[asked].elements === 0 ? encodings[asked] : encodings.f16;
}
