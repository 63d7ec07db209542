import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatBytes,
  formatCount,
  formatFlops,
  formatSeconds,
  formatShare,
} from '../../../src/cli/format';
import { formatFields, formatTable } from '../../../src/cli/table';

describe('values for people', () => {
  it('have the largest unit that fits, and three digits', () => {
    assert.equal(formatBytes(999), '999 bytes');
    assert.equal(formatBytes(895_000), '895 kB');
    assert.equal(formatBytes(5_368_709_120), '5.37 GB');
    assert.equal(formatBytes(0), '0 bytes');
    assert.equal(formatFlops(7.96e9), '7.96 GFLOP');
    assert.equal(formatFlops(3.1e21), '3,100 EFLOP');
    assert.equal(formatCount(1234567), '1,234,567');
    assert.equal(formatShare(0.32726), '32.7 %');
  });

  it('have durations in the units one would say', () => {
    const durations = {
      0.04: '0 s',
      2.34: '2.3 s',
      12.4: '12 s',
      200: '3 min 20 s',
      7500: '2 h 5 min',
    };
    for (const [seconds, text] of Object.entries(durations)) {
      assert.equal(formatSeconds(Number(seconds)), text);
    }
    assert.equal(formatSeconds(59.7), '1 min 0 s');
    assert.equal(formatSeconds(3599.9), '1 h 0 min');
  });

  it('stand in columns', () => {
    const table = formatTable([
      ['model', 'loss'],
      ['small', '3.3'],
      ['x', '10.25'],
    ]);
    assert.equal(table, 'model   loss\n─────  ─────\nsmall    3.3\nx      10.25');
    assert.equal(
      formatFields([
        ['a', '1'],
        ['long', '2'],
        ['b', undefined],
      ]),
      'a     1\nlong  2',
    );
  });
});
