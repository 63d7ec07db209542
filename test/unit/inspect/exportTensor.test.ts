import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { copyFile, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openCheckpoint } from '../../../src/checkpoint/checkpoint';
import { InterruptedError, UserError } from '../../../src/errors';
import { exportTensor } from '../../../src/inspect/exportTensor';
import { remedyText } from '../../support/remedyText';
import { assertUserError, temporaryFolder } from '../checkpoint/files';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
const path = fixture('difference/before.safetensors');
const fresh = { path, overwrite: false };

const arrays = [
  'moved',
  'moved.f16',
  'moved.f64',
  'moved.i64',
  'moved.bool',
  'moved.bf16',
  'empty',
  'scalar',
];

for (const tensor of arrays) {
  test(`${tensor}.npy has the bytes that NumPy saves`, async t => {
    const to = join(await temporaryFolder(t), 'out.npy');
    await exportTensor({ ...fresh, tensor, to });
    // Written by numpy.save (test/fixtures/difference/make.py).
    assert.deepEqual(readFileSync(to), readFileSync(fixture(`difference/${tensor}.npy`)));
  });
}

test('a type that NumPy lacks is written as float32, and that is said', async t => {
  const to = join(await temporaryFolder(t), 'out.npy');
  const { type, notes } = await exportTensor({ ...fresh, tensor: 'moved.bf16', to });
  assert.equal(type, 'F32');
  assert.deepEqual(notes, ['NumPy has no BF16: written as F32, value by value.']);
});

test('of quantised weights the values are written, and what they are stored as is said', async t => {
  const to = join(await temporaryFolder(t), 'out.npy');
  const gguf = fixture('formats/gguf/kinds.gguf');
  const checkpoint = await openCheckpoint(gguf);
  t.after(() => checkpoint.close());
  const { name } = [...checkpoint.tensors.values()].find(({ storedAs }) => storedAs === 'Q8_0')!;
  const { notes } = await exportTensor({ path: gguf, tensor: name, to, overwrite: false });
  assert.deepEqual(notes, ['What is stored as Q8_0 was written as F32.']);
  const written = await openCheckpoint(to);
  t.after(() => written.close());
  const [only] = written.tensors.keys();
  assert.deepEqual(await written.readFloat32(only!), await checkpoint.readFloat32(name));
});

/** The rows of a CSV. */
const rowsOf = (file: string): string[][] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map(row => row.split(','));

test('a CSV has a row for each row, and its numbers read back as they were', async t => {
  const to = join(await temporaryFolder(t), 'out.csv');
  for (const tensor of ['moved', 'moved.bf16', 'moved.f16', 'moved.f64']) {
    const { matrix } = await exportTensor({ path, tensor, to, overwrite: true });
    const rows = rowsOf(to);
    assert.deepEqual([rows.length, rows[0]!.length], [...matrix], tensor);
    const array = await openCheckpoint(fixture(`difference/${tensor}.npy`));
    t.after(() => array.close());
    const [only] = array.tensors.values();
    const bytes = await array.readBytes(only!.name);
    const wanted =
      only!.type === 'F64'
        ? [...new Float64Array(bytes.buffer)]
        : [...(await array.readFloat32(only!.name))];
    const read = rows.flat().map(Number);
    assert.deepEqual(only!.type === 'F64' ? read : read.map(Math.fround), wanted, tensor);
  }
});

test('a CSV writes what is not finite as NumPy reads it, and integers whole', async t => {
  const to = join(await temporaryFolder(t), 'out.csv');
  await exportTensor({ ...fresh, tensor: 'holes', to });
  const rows = rowsOf(to);
  assert.equal(rows[0]![0], 'nan');
  assert.equal(rows[1]![1], 'inf');
  await exportTensor({ path, tensor: 'moved.i64', to, overwrite: true });
  assert.deepEqual(rowsOf(to), [
    ['1', '-2'],
    ['3', String(2 ** 40 + 1)],
  ]);
  await exportTensor({ path, tensor: 'zero.of.both.signs', to, overwrite: true });
  assert.deepEqual(rowsOf(to), [['0', '-0']]);
});

test('the shape of a tensor that is no matrix is said where it becomes one', async t => {
  const to = join(await temporaryFolder(t), 'out.csv');
  const { matrix, notes } = await exportTensor({ ...fresh, tensor: 'moved.bf16', to });
  assert.deepEqual(matrix, [15, 4]);
  assert.deepEqual(notes, ['[5, 3, 4] was written as 15 × 4: rows are all axes but the last.']);
});

test('a file that is there stays as it is unless it may be overwritten', async t => {
  const folder = await temporaryFolder(t);
  const to = join(folder, 'out.npy');
  writeFileSync(to, 'mine');
  const exporting = exportTensor({ ...fresh, tensor: 'moved', to });
  const error = await assertUserError(exporting, UserError, /already exists/);
  assert.match(remedyText(error.remedy), /--overwrite/);
  assert.equal(readFileSync(to, 'utf8'), 'mine');
  assert.deepEqual(await readdir(folder), ['out.npy']);
  await exportTensor({ path, tensor: 'moved', to, overwrite: true });
  assert.deepEqual(readFileSync(to), readFileSync(fixture('difference/moved.npy')));
  assert.deepEqual(await readdir(folder), ['out.npy']);
});

test('where a link is replaced, what it leads to is', async t => {
  const folder = await temporaryFolder(t);
  writeFileSync(join(folder, 'real.npy'), 'old');
  await symlink(join(folder, 'real.npy'), join(folder, 'link.npy'));
  await exportTensor({ path, tensor: 'moved', to: join(folder, 'link.npy'), overwrite: true });
  const written = readFileSync(join(folder, 'real.npy'));
  assert.deepEqual(written, readFileSync(fixture('difference/moved.npy')));
});

test('nothing is left of an export that fails or is stopped', async t => {
  const folder = await temporaryFolder(t);
  const to = join(folder, 'out.npy');
  await assert.rejects(
    exportTensor({ ...fresh, tensor: 'moved', to }, AbortSignal.abort()),
    InterruptedError,
  );
  const kinds = {
    'f8.same': /F8_E4M3 cannot be read/,
    'no such tensor': /holds no tensor named/,
  };
  for (const [tensor, message] of Object.entries(kinds)) {
    await assert.rejects(exportTensor({ ...fresh, tensor, to }), message);
  }
  const elsewhere = join(folder, 'none', 'out.npy');
  await assert.rejects(exportTensor({ ...fresh, tensor: 'moved', to: elsewhere }), /no folder/);
  await assert.rejects(
    exportTensor({ ...fresh, tensor: 'moved', to: join(folder, 'out.txt') }),
    /neither a NumPy array nor a CSV/,
  );
  assert.deepEqual(await readdir(folder), []);
});

test('a checkpoint is not overwritten by its own tensor', async t => {
  const folder = await temporaryFolder(t);
  const own = join(folder, 'array.npy');
  await copyFile(fixture('difference/moved.npy'), own);
  const checkpoint = await openCheckpoint(own);
  const [name] = checkpoint.tensors.keys();
  await checkpoint.close();
  await assert.rejects(
    exportTensor({ path: own, tensor: name!, to: own, overwrite: true }),
    /is a file of the checkpoint itself/,
  );
  assert.ok(existsSync(own));
});
