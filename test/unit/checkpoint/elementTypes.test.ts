import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  bytesPerElement,
  fromFloat32,
  isReadableType,
  isStoredType,
  toFloat32,
  type StoredType,
} from '../../../src/checkpoint/elementTypes';
import { UnsupportedError } from '../../../src/errors';
import { seeded } from './files';

interface Format {
  readonly type: 'F16' | 'BF16';
  readonly exponentBits: number;
  readonly fractionBits: number;
}
const formats: readonly Format[] = [
  { type: 'F16', exponentBits: 5, fractionBits: 10 },
  { type: 'BF16', exponentBits: 8, fractionBits: 7 },
];

/** The value of a bit pattern by the definition of the format, in double precision. */
function valueOf(pattern: number, { exponentBits, fractionBits }: Format): number {
  const sign = pattern >>> 15 === 1 ? -1 : 1;
  const largest = 2 ** exponentBits - 1;
  const exponent = (pattern >>> fractionBits) & largest;
  const fraction = (pattern & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  const bias = 2 ** (exponentBits - 1) - 1;
  if (exponent === largest) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias);
  return sign * (1 + fraction) * 2 ** (exponent - bias);
}

/** Rounds a double to the format by the definition: nearest multiple of the unit, ties to even. */
function rounded(value: number, { exponentBits, fractionBits }: Format): number {
  if (!Number.isFinite(value) || value === 0) return value;
  const bias = 2 ** (exponentBits - 1) - 1;
  let exponent = Math.floor(Math.log2(Math.abs(value)));
  if (2 ** exponent > Math.abs(value)) exponent--;
  if (2 ** (exponent + 1) <= Math.abs(value)) exponent++;
  const unit = 2 ** (Math.max(exponent, 1 - bias) - fractionBits);
  const units = value / unit;
  let whole = Math.floor(units);
  const rest = units - whole;
  if (rest > 0.5 || (rest === 0.5 && whole % 2 !== 0)) whole++;
  const result = whole * unit || (value < 0 ? -0 : 0);
  const largest = (2 - 2 ** -fractionBits) * 2 ** bias;
  return Math.abs(result) > largest ? Math.sign(result) * Infinity : result;
}

function allPatterns(): Uint8Array {
  return new Uint8Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer);
}

/** Float32 values over the whole range of bit patterns, the hard ones of each format among them. */
function hardValues(format: Format): Float32Array {
  const random = seeded(20260501);
  const bits = Uint32Array.from({ length: 60_000 }, random);
  const values = [...new Float32Array(bits.buffer)];
  for (let i = 0; i < 40_000; i++) {
    const pattern = random() & 0x7fff;
    const low = valueOf(pattern, format);
    const high = valueOf(pattern + 1, format);
    if (!Number.isFinite(low) || !Number.isFinite(high)) continue;
    const tie = Math.fround((low + high) / 2);
    const sign = random() % 2 === 0 ? 1 : -1;
    values.push(sign * low, sign * tie, sign * nextFloat(tie, 1), sign * nextFloat(tie, -1));
  }
  values.push(0, -0, Infinity, -Infinity, NaN, 65504, 65519.996, 65520, 2 ** -24, 2 ** -25);
  values.push(nextFloat(2 ** -25, 1), 2 ** -149, 3.4028234663852886e38, -3.4e38);
  return Float32Array.from(values);
}

function nextFloat(value: number, step: number): number {
  const single = Float32Array.of(value);
  new Int32Array(single.buffer)[0]! += value === 0 ? 0 : step;
  return single[0]!;
}

for (const format of formats) {
  test(`every ${format.type} pattern widens to the value its format defines`, () => {
    const values = toFloat32(allPatterns(), format.type);
    for (let pattern = 0; pattern < 65536; pattern++) {
      const expected = valueOf(pattern, format);
      if (!Object.is(values[pattern], expected))
        assert.equal(values[pattern], expected, `${pattern}`);
    }
  });

  test(`every ${format.type} pattern that is a number survives a round trip bit for bit`, () => {
    const patterns = new Uint16Array(allPatterns().buffer);
    const values = toFloat32(allPatterns(), format.type);
    const back = new Uint16Array(fromFloat32(values, format.type).buffer);
    for (let i = 0; i < 65536; i++) {
      if (Number.isNaN(values[i])) assert.ok(Number.isNaN(valueOf(back[i]!, format)), `${i}`);
      else if (back[i] !== patterns[i]) assert.equal(back[i], patterns[i]);
    }
  });

  test(`float32 rounds to ${format.type} as IEEE 754 says, for 200,000 seeded values`, () => {
    const values = hardValues(format);
    const stored = new Uint16Array(fromFloat32(values, format.type).buffer);
    for (let i = 0; i < values.length; i++) {
      const actual = valueOf(stored[i]!, format);
      const expected = rounded(values[i]!, format);
      if (!Object.is(actual, expected)) assert.equal(actual, expected, `value ${values[i]}`);
    }
  });
}

test('float32 and float64 hold float32 values exactly', () => {
  const random = seeded(7);
  const values = new Float32Array(Uint32Array.from({ length: 5000 }, random).buffer);
  const view = new DataView(fromFloat32(values, 'F64').buffer);
  values.forEach((value, i) => assert.ok(Object.is(view.getFloat64(8 * i, true), value)));
  for (const type of ['F32', 'F64'] as const) {
    const back = toFloat32(fromFloat32(values, type), type);
    values.forEach((value, i) => assert.ok(Object.is(back[i], value)));
  }
});

test('conversions return fresh arrays, never views of what they were given', () => {
  const values = Float32Array.of(1, 2);
  const bytes = fromFloat32(values, 'F32');
  const back = toFloat32(bytes, 'F32');
  values[0] = 9;
  bytes.fill(0);
  assert.deepEqual([...back], [1, 2]);
});

const integers: readonly (readonly [StoredType, (view: DataView, i: number) => number])[] = [
  ['I32', (view, i) => view.getInt32(4 * i, true)],
  ['U32', (view, i) => view.getUint32(4 * i, true)],
  ['I16', (view, i) => view.getInt16(2 * i, true)],
  ['U16', (view, i) => view.getUint16(2 * i, true)],
  ['I8', (view, i) => view.getInt8(i)],
  ['U8', (view, i) => view.getUint8(i)],
  ['F64', (view, i) => view.getFloat64(8 * i, true)],
  ['F32', (view, i) => view.getFloat32(4 * i, true)],
  ['BOOL', (view, i) => (view.getUint8(i) === 0 ? 0 : 1)],
];
for (const [type, get] of integers) {
  test(`${type} is read as float32 from bytes at any alignment`, () => {
    const random = seeded(99);
    const source = Uint8Array.from({ length: 8 * 500 + 8 }, () => random() % 7 && random());
    for (let offset = 0; offset < 8; offset++) {
      const bytes = source.subarray(offset, offset + 8 * 500);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const values = toFloat32(bytes, type);
      assert.equal(values.length, bytes.length / bytesPerElement(type));
      values.forEach((value, i) => assert.ok(Object.is(value, Math.fround(get(view, i)))));
      // A Buffer's slice is a view, which must not matter.
      assert.deepEqual(toFloat32(Buffer.from(source.buffer, offset, bytes.length), type), values);
    }
  });
}

for (const type of ['I64', 'U64'] as const) {
  test(`${type} rounds to the nearest float32 once, not twice by way of a double`, () => {
    const random = seeded(64);
    const numbers: bigint[] = [0n, 1n, (1n << 53n) + 1n, (1n << 62n) + (1n << 38n) + 1n];
    numbers.push((1n << 60n) + (1n << 36n), (1n << 60n) + (3n << 36n), (1n << 63n) - 1n);
    for (let i = 0; i < 4000; i++) {
      const shift = BigInt(random() % 64);
      numbers.push(((BigInt(random()) << 32n) | BigInt(random())) >> shift);
      const tie = ((BigInt(random() | 0x80000000) >> 8n) * 2n + 1n) << BigInt(random() % 39);
      numbers.push(tie, tie + 1n, tie - 1n);
    }
    if (type === 'I64') {
      numbers.push(...numbers.map(n => -n), -(1n << 63n));
    }
    const wrapped = numbers.map(n =>
      type === 'I64' ? BigInt.asIntN(64, n) : BigInt.asUintN(64, n),
    );
    const bytes = new Uint8Array(
      type === 'I64' ? BigInt64Array.from(wrapped).buffer : BigUint64Array.from(wrapped).buffer,
    );
    toFloat32(bytes, type).forEach((value, i) => {
      const exact = wrapped[i]!;
      const distance = (float: number): bigint => {
        const difference = BigInt(float) - exact;
        return difference < 0n ? -difference : difference;
      };
      for (const step of [-1, 1]) {
        const neighbour = nextFloat(value, step);
        if (!Number.isInteger(neighbour)) continue;
        const [own, other] = [distance(value), distance(neighbour)];
        assert.ok(own <= other, `${exact} became ${value}`);
        if (own === other) {
          assert.equal(new Uint32Array(Float32Array.of(value).buffer)[0]! & 1, 0, `tie ${exact}`);
        }
      }
    });
  });
}

test('F8 and packed kinds are known by size but have no values', () => {
  const sizes = { F8_E5M2: 1, F8_E4M3: 1, F8_E8M0: 1, F8_E4M3FNUZ: 1, F8_E5M2FNUZ: 1 } as const;
  for (const [type, size] of Object.entries({ ...sizes, F6_E2M3: 0.75, F4: 0.5, C64: 8 })) {
    assert.ok(isStoredType(type));
    assert.equal(isReadableType(type), false);
    assert.equal(bytesPerElement(type), size);
    assert.throws(() => toFloat32(new Uint8Array(8), type), UnsupportedError);
  }
});

test('words that name no type are told apart, the names of object methods among them', () => {
  for (const word of ['f32', 'Q4_0', '', 'toString', '__proto__', 3, null, undefined]) {
    assert.equal(isStoredType(word), false);
  }
});

test('computed values cannot become integers', () => {
  for (const type of ['I64', 'U8', 'BOOL', 'F8_E4M3'] as const) {
    assert.throws(() => fromFloat32(Float32Array.of(1), type), UnsupportedError);
  }
});

test('bytes that are no whole number of elements are a defect', () => {
  assert.throws(() => toFloat32(new Uint8Array(6), 'F32'), /6 bytes/);
});
