import assert from 'node:assert/strict';
import { it } from 'node:test';
import { counted, formatBytes } from '../../src/format';

it('bytes are written in decimal units with three digits', () => {
  assert.equal(formatBytes(0), '0 bytes');
  assert.equal(formatBytes(1), '1 byte');
  assert.equal(formatBytes(999), '999 bytes');
  assert.equal(formatBytes(895_000), '895 kB');
  assert.equal(formatBytes(5_368_709_120), '5.37 GB');
  assert.equal(formatBytes(24 * 2 ** 30), '25.8 GB');
});

it('bytes are written in the digits of a language', () => {
  const german = new Intl.NumberFormat('de', { maximumSignificantDigits: 3 });
  assert.equal(formatBytes(5_368_709_120, german), '5,37 GB');
});

it('counts have their singular', () => {
  assert.equal(counted(1, 'step'), '1 step');
  assert.equal(counted(0, 'step'), '0 steps');
  assert.equal(counted(2000, 'class', 'classes'), '2,000 classes');
});
