import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readIdx } from '../../../src/data/idx';
import { CorruptFileError, UserError } from '../../../src/errors';
import { examples, temporaryFolder } from './temporary';

/** An IDX file of bytes with the given dimensions. */
function idxBytes(dimensions: readonly number[], values: Uint8Array, type = 0x08): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length);
  header.writeUInt32BE((type << 8) + dimensions.length);
  dimensions.forEach((size, index) => header.writeUInt32BE(size, 4 + 4 * index));
  return Buffer.concat([header, values]);
}
const values = Uint8Array.from({ length: 24 }, (_, index) => index * 10);
const good = idxBytes([2, 3, 4], values);

describe('an IDX file', () => {
  it('gives the bytes behind its header, plain and gzipped', async () => {
    const folder = temporaryFolder({ 'a-idx3-ubyte': good, 'b-idx3-ubyte.gz': gzipSync(good) });
    for (const name of ['a-idx3-ubyte', 'b-idx3-ubyte.gz']) {
      const array = await readIdx(join(folder, name), 3);
      assert.deepEqual(array.dimensions, [2, 3, 4]);
      assert.deepEqual(array.values, values);
    }
  });

  it('of Fashion-MNIST goes there and back without a change', async () => {
    for (const [name, rank] of [
      ['t10k-images-idx3-ubyte.gz', 3],
      ['train-labels-idx1-ubyte.gz', 1],
    ] as const) {
      const path = join(examples, 'fashion-mnist', name);
      const array = await readIdx(path, rank);
      const bytes = gunzipSync(readFileSync(path));
      assert.deepEqual(idxBytes(array.dimensions, array.values), bytes);
      assert.equal(array.dimensions[0], name.startsWith('t10k') ? 2000 : 10_000);
    }
  });

  const bomb = gzipSync(idxBytes([2, 3, 4], new Uint8Array(10_000_000)));
  const cases: [string, string, Uint8Array, RegExp][] = [
    [
      'of another type',
      'a',
      idxBytes([2, 3, 4], values, 0x0d),
      /not an IDX file of bytes.*00000d03/,
    ],
    ['of labels where images belong', 'a', idxBytes([24], values), /in 3 dimensions/],
    ['of no such kind', 'a', Buffer.from('PNG and more bytes than a header'), /not an IDX file/],
    ['cut in its header', 'a', good.subarray(0, 9), /ends within its header/],
    ['that is empty', 'a', new Uint8Array(0), /ends within its header/],
    ['cut in its values', 'a', good.subarray(0, 30), /promises 2 × 3 × 4 bytes/],
    ['with bytes to spare', 'a', Buffer.concat([good, good]), /promises 2 × 3 × 4 bytes/],
    [
      'gzipped and cut in its values',
      'a.gz',
      gzipSync(good.subarray(0, 30)),
      /ends after 14 of its 24/,
    ],
    ['that unpacks to more than it promises', 'a.gz', bomb, /goes on after its last value/],
    [
      'that promises more than gzip can hold',
      'a.gz',
      gzipSync(idxBytes([1000, 1000, 1000], values)),
      /promises 1000 × 1000 × 1000/,
    ],
    [
      'whose gzip is cut',
      'a.gz',
      gzipSync(good).subarray(0, 25),
      /cannot be unpacked \(Z_BUF_ERROR\)/,
    ],
    [
      'that is broken inside its gzip',
      'a.gz',
      gzipSync(good).map((byte, at, all) => (at === all.length - 6 ? byte ^ 0xff : byte)),
      /cannot be unpacked \(Z_DATA_ERROR\)/,
    ],
  ];
  it('is unpacked by what it holds, whatever its name says', async () => {
    const folder = temporaryFolder({ 'unpacked.gz': good, packed: gzipSync(good) });
    const [first, second] = [join(folder, 'unpacked.gz'), join(folder, 'packed')];
    assert.deepEqual(await readIdx(first, 3), await readIdx(second, 3));
  });

  for (const [what, name, bytes, message] of cases) {
    it(`${what} is refused`, async () => {
      const folder = temporaryFolder({ [name]: bytes });
      await assert.rejects(readIdx(join(folder, name), 3), (error: unknown) => {
        assert.ok(error instanceof CorruptFileError, String(error));
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('too large for memory is refused before any is taken', async () => {
    const folder = temporaryFolder({ a: idxBytes([60_000, 1000, 1000], values) });
    await assert.rejects(readIdx(join(folder, 'a'), 3), (error: unknown) => {
      assert.ok(error instanceof UserError && !(error instanceof CorruptFileError));
      assert.match(error.message, /more than the 1073741824/);
      return true;
    });
  });
});
