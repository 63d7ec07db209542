import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { UnsupportedError } from '../../../../../src/errors';
import { assertUserError } from '../../files';
import { ggufFixture } from './ggufFile';

const names = [
  ...['q2_k', 'q3_k', 'q4_k', 'q5_k', 'q6_k', 'iq4_nl', 'iq4_xs'],
  ...['q4_0', 'q4_1', 'q5_0', 'q5_1', 'q8_0'],
  ...['f32', 'f16', 'bf16', 'f64', 'i8', 'i16', 'i32', 'i64', 'cube'],
];

const bits = ({ buffer, byteOffset, length }: Float32Array): number[] => [
  ...new Uint32Array(buffer, byteOffset, length),
];

async function bothFiles() {
  const file = await openCheckpoint(ggufFixture('kinds.gguf'));
  const reference = await openCheckpoint(ggufFixture('kinds.safetensors'));
  return {
    file,
    reference,
    [Symbol.asyncDispose]: async () => {
      await file.close();
      await reference.close();
    },
  };
}

for (const name of names) {
  test(`${name} is read to the bit as the reference package reads it`, async () => {
    await using both = await bothFiles();
    const { file, reference } = both;
    const { shape, storedAs } = file.tensors.get(name)!;
    const expected = await reference.readFloat32(name);
    assert.deepEqual(shape, reference.tensors.get(name)!.shape);
    assert.equal(storedAs, /q\d/.test(name) ? name.toUpperCase() : undefined);
    assert.ok(expected.some(value => value !== 0));
    assert.deepEqual(bits(await file.readFloat32(name)), bits(expected));
  });

  test(`a range of ${name} is what the whole has there`, async () => {
    await using both = await bothFiles();
    const { file } = both;
    const whole = await file.readFloat32(name);
    for (const [first, count] of [
      [0, 1],
      [whole.length - 1, 1],
      [1, whole.length - 2],
      [Math.floor(whole.length / 2) - 3, 7],
      [3, 0],
    ] as const) {
      assert.deepEqual(
        bits(await file.readRange(name, first, count)),
        bits(whole.slice(first, first + count)),
        `${count} from ${first} on`,
      );
    }
  });
}

test('a range of a quantised tensor reads the blocks it lies in and no more', async () => {
  await using both = await bothFiles();
  const { layout } = both.file.tensors.get('q4_k')!;
  const asked: number[] = [];
  const read = (begin: number, end: number) => {
    asked.push(end - begin);
    return Promise.resolve(new Uint8Array(end - begin));
  };
  await layout.read(read, 300, 10);
  await layout.read(read, 250, 10);
  assert.deepEqual(asked, [144, 2 * 144]);
});

test('kinds that are not read are listed with what they are, and refused by name for values', async () => {
  await using both = await bothFiles();
  const { file } = both;
  assert.equal(file.tensors.get('iq1_s')?.storedAs, 'IQ1_S');
  const error = await assertUserError(file.readFloat32('iq1_s'), UnsupportedError, /IQ1_S/);
  assert.match(String(error.remedy), /Q8_0/);
});
