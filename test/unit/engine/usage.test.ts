import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readUsage } from '../../../src/engine/usage';
import { rtx4070 } from './machines';

const other = { ...rtx4070, name: 'NVIDIA T400', utilization: 0.99 };

it('usage tells memory and load of the adapter that computes, and of no other', async () => {
  const usage = await readUsage(rtx4070.name, () => Promise.resolve([other, rtx4070]));
  assert.deepEqual(usage.device, {
    totalBytes: 12_282 * 2 ** 20,
    usedBytes: 1282 * 2 ** 20,
    utilization: 0.03,
  });
  assert.ok(usage.residentBytes > 1e6);
});

it('usage says nothing of a device where the CPU computes, or the driver tells nothing', async () => {
  const asked = () => Promise.reject<never[]>(new Error('the driver does not answer'));
  assert.equal((await readUsage(undefined, () => Promise.resolve([rtx4070]))).device, undefined);
  assert.equal((await readUsage('Apple M3', () => Promise.resolve([]))).device, undefined);
  assert.equal((await readUsage(rtx4070.name, asked)).device, undefined);
  const { name, vendor, kind } = rtx4070;
  const silent = await readUsage(name, () => Promise.resolve([{ name, vendor, kind }]));
  assert.deepEqual(silent.device, {});
});
