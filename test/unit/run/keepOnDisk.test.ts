import assert from 'node:assert/strict';
import { readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TensorData } from '../../../src/graph';
import { keepOnDisk } from '../../../src/run/stop/keepOnDisk';
import { recorded, temporaryFolder } from './support';

const state = {
  'width.hidden': Float32Array.of(1.5, -2, Number.MIN_VALUE, 3e38),
  'adam.m.width.hidden': Float32Array.of(0, -0, 1e-40, 7),
  scale: Float32Array.of(0.1),
};

async function* tensors(values: Record<string, TensorData> = state) {
  yield* Object.entries(values);
}

describe('states of a run that are kept on the disk', () => {
  it('are read as they were, to the bit', async () => {
    const folder = temporaryFolder();
    const kept = (await keepOnDisk(recorded().context, folder)(tensors()))!;
    const read = await kept.read();
    assert.deepEqual(Object.keys(read), Object.keys(state));
    for (const [name, { buffer }] of Object.entries(state)) {
      assert.deepEqual(new Uint8Array(read[name]!.buffer), new Uint8Array(buffer), name);
    }
  });

  it('take a file each until they are forgotten', async () => {
    const folder = temporaryFolder();
    const keep = keepOnDisk(recorded().context, folder);
    const [one, two] = [(await keep(tensors()))!, (await keep(tensors({ a: state.scale })))!];
    assert.equal(readdirSync(folder).length, 2);
    await one.forget();
    assert.deepEqual(Object.keys(await two.read()), ['a']);
    await two.forget();
    assert.deepEqual(readdirSync(folder), []);
  });

  it('are refused by a disk that cannot take them, which is told once and leaves nothing', async () => {
    const { context, events } = recorded();
    const keep = keepOnDisk(context, join(temporaryFolder(), 'gone'));
    assert.equal(await keep(tensors()), undefined);
    assert.equal(await keep(tensors()), undefined);
    assert.equal(events.length, 1);
    assert.match(JSON.stringify(events[0]), /No copy of the state is kept to fall back to/);
  });

  it('are no state any more when somebody cut them short', async () => {
    const folder = temporaryFolder();
    const kept = (await keepOnDisk(recorded().context, folder)(tensors()))!;
    const [file] = readdirSync(folder);
    truncateSync(join(folder, file!), 8);
    await assert.rejects(kept.read(), /cut short/);
  });
});
