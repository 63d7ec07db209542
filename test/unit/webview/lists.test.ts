import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatBytes,
  formatDuration,
  formatFlops,
  formatShape,
  formatTick,
  formatValue,
} from '../../../webview/shared/format';
import { summaryFacts } from '../../../webview/shared/runFacts';
import { setStrings, t } from '../../../webview/shared/strings';
import type { RunSummary } from '../../../src/protocol/messages';
import { summaryAt } from '../../webview/harness/recorded';
import { tensorRows } from '../../../webview/inspector/tensorRows';
import { arrangeRows, visibleRange, type Order } from '../../../webview/tensors/rows';

describe('formats', () => {
  it('are short and say the unit', () => {
    assert.equal(formatBytes(3170176), '3.17 MB');
    assert.equal(formatBytes(256), '256 bytes');
    assert.equal(formatFlops(170_575_295_000), '171 GFLOP');
    assert.equal(formatFlops(0), '0 FLOP');
    assert.equal(formatDuration(2.94), '2.9 s');
    assert.equal(formatDuration(185), '3 min 5 s');
    assert.equal(formatDuration(7800), '2 h 10 min');
    assert.equal(formatShape([768, 3072]), '768 × 3072');
    assert.equal(formatTick(-0.30871), '−0.309');
    assert.equal(formatValue(-0.123456789), '−0.123457');
    assert.equal(formatValue(NaN), 'NaN');
  });
});

describe('strings', () => {
  it('are English until translated, with their values filled in', () => {
    assert.equal(t('step {0} of {1}', 3, 20), 'step 3 of 20');
    setStrings({ 'step {0} of {1}': 'Schritt {0} von {1}' });
    assert.equal(t('step {0} of {1}', 3, 20), 'Schritt 3 von 20');
    setStrings({});
  });
});

describe('facts of a run', () => {
  const run = (change: Partial<RunSummary>): RunSummary => ({ ...summaryAt(3), ...change });
  const fact = (label: string, of: RunSummary): string | undefined =>
    summaryFacts(of).find(each => each.label === label)?.value;

  it('are the memory and load of the device, as far as the platform tells', () => {
    const device = { usedBytes: 3 * 2 ** 30, totalBytes: 12 * 2 ** 30, utilization: 0.87 };
    const residentBytes = 2 ** 29;
    assert.equal(
      fact('GPU', run({ usage: { residentBytes, device } })),
      '3.22 GB of 12.9 GB, 87% busy',
    );
    const loaded = run({ usage: { residentBytes, device: { utilization: 0.5 } } });
    assert.equal(fact('GPU', loaded), '50% busy');
    const onCpu = run({ usage: { residentBytes } });
    assert.equal(fact('GPU', onCpu), undefined);
    assert.equal(fact('Memory', onCpu), '537 MB');
    assert.equal(fact('GPU', run({ usage: { residentBytes, device: {} } })), undefined);
    assert.equal(fact('Memory', run({ usage: undefined })), undefined);
  });

  it('are the engine with why it was chosen, where a run tells that', () => {
    assert.equal(fact('Engine', run({ reason: 'CPU: no GPU found' })), 'CPU: no GPU found');
    assert.equal(fact('Engine', run({ reason: undefined, device: 'CPU' })), 'CPU');
  });
});

describe('rows of the tensor table', () => {
  const row = (name: string, type: string, shape: number[], bytes: number) => ({
    name,
    type,
    shape,
    bytes,
  });
  const rows = [
    row('layer.10.weight', 'F32', [4, 8], 128),
    row('layer.9.weight', 'BF16', [4, 8], 64),
    row('layer.9.bias', 'F32', [8], 32),
  ];
  const names = (arranged: readonly { name: string }[]): string[] =>
    arranged.map(({ name }) => name);

  const arranged = (filter: string, order?: Order) =>
    arrangeRows(rows, filter, order, tensorRows());

  it('keep the order of the file without one, and know that 10 comes after 9', () => {
    assert.equal(arranged(''), rows);
    assert.deepEqual(names(arranged('', { column: 'name', descending: false })), [
      'layer.9.bias',
      'layer.9.weight',
      'layer.10.weight',
    ]);
    assert.equal(arranged('', { column: 'bytes', descending: true })[0]!.bytes, 128);
  });

  it('are found by every word, in name, type or shape', () => {
    assert.deepEqual(names(arranged('Weight bf16')), ['layer.9.weight']);
    assert.equal(arranged('4×8').length, 2);
    assert.equal(arranged('nothing').length, 0);
  });

  it('are in the page only where they can be seen', () => {
    assert.deepEqual(visibleRange(0, 480, 24, 100_000), [0, 28]);
    assert.deepEqual(visibleRange(24_000, 480, 24, 100_000), [992, 1028]);
    assert.deepEqual(visibleRange(2_399_520, 480, 24, 100_000), [99_972, 100_000]);
  });
});
