import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adapterOf, mergeAdapters } from '../../../src/engine/adapters';
import { nvidiaAdapters, type Execute } from '../../../src/engine/nvidia';
import { rtx4070 } from './machines';

const controller = (vendor: string, model: string, changes = {}) => ({
  ...{ vendor, model, bus: 'Onboard', vram: null, vramDynamic: false },
  ...changes,
});

/** What nvidia-smi prints, by what it is asked for. */
const printing =
  (stdout: string): Execute =>
  () =>
    Promise.resolve({ stdout });

const failing =
  (error: object): Execute =>
  () =>
    Promise.reject(Object.assign(new Error('failed'), error));

describe('graphics adapters', () => {
  const kinds: readonly (readonly [string, string, object, string])[] = [
    ['NVIDIA Corporation', 'AD104 [GeForce RTX 4070]', {}, 'discrete'],
    ['Intel Corporation', 'AlderLake-S GT1', {}, 'integrated'],
    ['Intel Corporation', 'DG2 [Arc A770]', {}, 'discrete'],
    ['Advanced Micro Devices, Inc. [AMD/ATI]', 'Raphael', {}, 'integrated'],
    ['Advanced Micro Devices, Inc. [AMD/ATI]', 'Navi 31 [Radeon RX 7900 XTX]', {}, 'discrete'],
    ['Apple', 'Apple M3', { vramDynamic: true, bus: 'Built-In' }, 'integrated'],
    ['ASPEED Technology, Inc.', 'ASPEED Graphics Family', {}, 'software'],
    ['VMware', 'SVGA II Adapter', {}, 'software'],
    ['Microsoft', 'Microsoft Basic Render Driver', {}, 'software'],
    ['Red Hat, Inc.', 'Virtio 1.0 GPU', {}, 'software'],
  ];
  for (const [vendor, model, changes, kind] of kinds) {
    it(`count ${model} as ${kind}`, () => {
      assert.equal(adapterOf(controller(vendor, model, changes)).kind, kind);
    });
  }

  it('take NVIDIA’s own numbers in place of what the system lists of them', () => {
    const listed = [
      controller('Intel Corporation', 'AlderLake-S GT1'),
      controller('NVIDIA Corporation', 'AD104 [GeForce RTX 4070]', { vram: 256 }),
    ];
    const merged = mergeAdapters(listed, [rtx4070]);
    assert.deepEqual(
      merged.map(({ name }) => name),
      ['NVIDIA GeForce RTX 4070', 'Intel Corporation AlderLake-S GT1'],
    );
    assert.equal(merged[0]!.memoryBytes, 12_282 * 2 ** 20);
  });

  it('do not take a small window onto the memory for the memory', () => {
    const card = adapterOf(controller('NVIDIA Corporation', 'AD104', { vram: 256 }));
    assert.equal(card.memoryBytes, undefined);
  });

  it('are read as nvidia-smi prints them, several at a time, with what it cannot tell left out', async () => {
    const adapters = await nvidiaAdapters(
      printing('GeForce RTX 4070, 550.54, 12282, 11000, 0\nNVIDIA GB10, 580.1, [N/A], [N/A], 7\n'),
    );
    assert.deepEqual(adapters, [
      { ...rtx4070, utilization: 0 },
      {
        ...{ name: 'NVIDIA GB10', vendor: 'nvidia', kind: 'discrete', driver: '580.1' },
        utilization: 0.07,
      },
    ]);
  });

  it('are none without nvidia-smi, and a driver that hangs or fails is told', async () => {
    assert.deepEqual(await nvidiaAdapters(failing({ code: 'ENOENT' })), []);
    await assert.rejects(nvidiaAdapters(failing({ killed: true })), /does not answer/);
    await assert.rejects(nvidiaAdapters(failing({ code: 9 })), /does not work .* 9/);
  });
});
