import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

import { openCheckpoint, type Checkpoint } from '../../../../src/checkpoint/checkpoint';
import { isReadableType } from '../../../../src/checkpoint/elementTypes';

/** Absolute path of a fixture of a format. */
export const formatFixture = (path: string): string =>
  fileURLToPath(new URL(`../../../fixtures/formats/${path}`, import.meta.url));

/** A checkpoint that is closed when the test ends. */
export async function opened(t: TestContext, path: string): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(path);
  t.after(() => checkpoint.close());
  return checkpoint;
}

/** Checks that a checkpoint has the very tensors of another one: names, types, shapes, bytes and parts of them. */
export async function assertSameTensors(one: Checkpoint, expected: Checkpoint): Promise<void> {
  const sorted = (names: Iterable<string>): string[] => [...names].sort();
  assert.deepEqual(sorted(one.tensors.keys()), sorted(expected.tensors.keys()));
  assert.ok(one.tensors.size > 0);
  for (const [name, { type, shape }] of expected.tensors) {
    const tensor = one.tensors.get(name)!;
    assert.equal(tensor.type, type, name);
    assert.deepEqual(tensor.shape, shape, name);
    assert.deepEqual(await one.readBytes(name), await expected.readBytes(name), name);
    if (!isReadableType(type)) continue;
    const count = shape.reduce((product, size) => product * size, 1);
    const [first, length] = [Math.floor(count / 3), Math.ceil(count / 2)];
    assert.deepEqual(
      await one.readRange(name, first, length),
      await expected.readRange(name, first, length),
      name,
    );
  }
}
