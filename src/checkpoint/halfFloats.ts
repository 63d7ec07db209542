/**
 * Conversions between 32-bit floats and the two 16-bit kinds, on bit patterns. They follow IEEE 754:
 * round to nearest, ties to even; overflow to infinity; subnormals kept; NaN stays NaN (quieted).
 */

const FLOAT32_INFINITY = 0x7f800000;
/** The smallest magnitude that float16 rounds to infinity: 65520, halfway past its largest value. */
const FLOAT16_OVERFLOW = 0x477ff000;
/** 2⁻¹⁴, the smallest normal float16. */
const FLOAT16_NORMAL = 0x38800000;
/** 2⁻²⁵, half of the smallest float16: everything up to it rounds to zero. */
const FLOAT16_UNDERFLOW = 0x33000000;

let float16Table: Uint32Array | undefined;
/** The same as numbers. */
let valuesOfFloat16: Float32Array | undefined;

/** Float32 bit patterns of all 65,536 float16 values (256 KiB), built when first needed. */
function tableOfFloat16(): Uint32Array {
  if (float16Table !== undefined) return float16Table;
  const table = new Uint32Array(65536);
  for (let half = 0; half < 65536; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    let fraction = half & 0x3ff;
    let bits: number;
    if (exponent === 0x1f) {
      bits = FLOAT32_INFINITY | (fraction << 13) | (fraction === 0 ? 0 : 0x400000);
    } else if (exponent !== 0) {
      bits = ((exponent + 112) << 23) | (fraction << 13);
    } else if (fraction === 0) {
      bits = 0;
    } else {
      // A subnormal float16 is a normal float32: shift until the leading one is implicit.
      let shifted = 113;
      while ((fraction & 0x400) === 0) {
        fraction <<= 1;
        shifted--;
      }
      bits = (shifted << 23) | ((fraction & 0x3ff) << 13);
    }
    table[half] = sign | bits;
  }
  float16Table = table;
  return table;
}

/** Widens float16 bit patterns; exact. */
export function float16ToFloat32(halves: Uint16Array): Float32Array {
  const table = tableOfFloat16();
  const out = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = table[halves[i]!]!;
  return new Float32Array(out.buffer);
}

/** The float16 at a byte, little endian, widened; exact. */
export function float16At(bytes: Uint8Array, at: number): number {
  valuesOfFloat16 ??= new Float32Array(tableOfFloat16().buffer);
  return valuesOfFloat16[bytes[at]! | (bytes[at + 1]! << 8)]!;
}

/** Widens bfloat16 bit patterns, which are the upper halves of float32; exact. */
export function bfloat16ToFloat32(halves: Uint16Array): Float32Array {
  const out = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = halves[i]! << 16;
  return new Float32Array(out.buffer);
}

/** Rounds float32 to float16 bit patterns. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  const patterns = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < patterns.length; i++) {
    const bits = patterns[i]!;
    const magnitude = bits & 0x7fffffff;
    let half: number;
    if (magnitude >= FLOAT16_OVERFLOW) {
      half = magnitude > FLOAT32_INFINITY ? 0x7e00 | ((magnitude >>> 13) & 0x3ff) : 0x7c00;
    } else if (magnitude >= FLOAT16_NORMAL) {
      // Rebase the exponent (127 → 15); adding just under half a unit, plus the last kept bit,
      // rounds ties to even and carries into the exponent where it must.
      half = (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
    } else if (magnitude <= FLOAT16_UNDERFLOW) {
      half = 0;
    } else {
      // Subnormal: count in units of 2⁻²⁴, again rounding ties to even.
      const shift = 126 - (magnitude >>> 23);
      const fraction = (magnitude & 0x7fffff) | 0x800000;
      half = fraction >>> shift;
      const rest = fraction & ((1 << shift) - 1);
      const tie = 1 << (shift - 1);
      if (rest > tie || (rest === tie && (half & 1) === 1)) half++;
    }
    out[i] = ((bits >>> 16) & 0x8000) | half;
  }
  return out;
}

/** Rounds float32 to bfloat16 bit patterns. */
export function float32ToBfloat16(values: Float32Array): Uint16Array {
  const patterns = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < patterns.length; i++) {
    const bits = patterns[i]!;
    out[i] =
      (bits & 0x7fffffff) > FLOAT32_INFINITY
        ? (bits >>> 16) | 0x40
        : (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
  }
  return out;
}
