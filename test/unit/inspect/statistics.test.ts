import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { writeCheckpoint } from '../../../src/checkpoint/writeCheckpoint';
import { tensorStatistics } from '../../../src/inspect/statistics';

async function tensorFile(
  context: TestContext,
  shape: readonly number[],
  values: Float32Array,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'ligo-statistics-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const tensor = { name: 't', type: 'F32' as const, shape, values: () => Promise.resolve(values) };
  await writeCheckpoint(folder, [tensor], {});
  return join(folder, 'model.safetensors');
}

test('statistics of a small tensor are those of its finite values', async context => {
  const values = Float32Array.of(1, 2, 3, 0, NaN, Infinity);
  const path = await tensorFile(context, [2, 3], values);
  const found = await tensorStatistics(path, 't');
  assert.equal(found.count, 6);
  assert.equal(found.mean, 1.5);
  assert.ok(Math.abs(found.standardDeviation - Math.sqrt(1.25)) < 1e-12);
  assert.deepEqual([found.minimum, found.maximum, found.zeros, found.notFinite], [0, 3, 1, 2]);
  assert.equal(
    found.histogram.counts.reduce((sum, count) => sum + count, 0),
    4,
  );
  assert.equal(found.histogram.edges.length, found.histogram.counts.length + 1);
  assert.deepEqual(found.picture?.values, [1, 2, 3, 0, NaN, Infinity]);
  assert.equal(found.sampled, false);
});

test('a constant tensor has one bin that holds everything', async context => {
  const path = await tensorFile(context, [8], new Float32Array(8).fill(2));
  const { histogram, standardDeviation } = await tensorStatistics(path, 't');
  assert.deepEqual(histogram, { edges: [2, 2], counts: [8] });
  assert.equal(standardDeviation, 0);
});

test('a tensor without finite values has no histogram', async context => {
  const path = await tensorFile(context, [2], Float32Array.of(NaN, NaN));
  const { histogram, mean, notFinite } = await tensorStatistics(path, 't');
  assert.deepEqual(histogram, { edges: [], counts: [] });
  assert.ok(Number.isNaN(mean));
  assert.equal(notFinite, 2);
});

test('a scalar has no picture', async context => {
  const path = await tensorFile(context, [], Float32Array.of(3));
  assert.equal((await tensorStatistics(path, 't')).picture, undefined);
});

test('of a large tensor an even sample is read', async context => {
  const [rows, columns] = [4000, 50];
  const values = Float32Array.from({ length: rows * columns }, (_, i) => Math.floor(i / columns));
  const path = await tensorFile(context, [rows, columns], values);
  const found = await tensorStatistics(path, 't', 140_000);
  assert.equal(found.sampled, true);
  assert.equal(found.count, rows * columns);
  assert.equal(found.minimum, 0);
  assert.equal(found.maximum, rows - 1);
  assert.ok(Math.abs(found.mean - rows / 2) < rows / 10);
});

test('a vector that is longer than what is read is sampled too', async context => {
  const path = await tensorFile(context, [300_000], new Float32Array(300_000).fill(1));
  const found = await tensorStatistics(path, 't', 100_000);
  assert.equal(found.sampled, true);
  assert.equal(found.mean, 1);
});
