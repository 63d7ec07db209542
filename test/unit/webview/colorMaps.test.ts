import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { colorTable, hexColor, tableSize, type Rgb } from '../../../webview/heatmap/colorMaps';
import {
  colorIndex,
  colorOf,
  countBeyond,
  extentOf,
  limitOf,
  paint,
} from '../../../webview/heatmap/scale';

const lightness = ([red, green, blue]: Rgb): number => red * 0.299 + green * 0.587 + blue * 0.114;

describe('colour maps', () => {
  it('pass through their published control points', () => {
    const { colors } = colorTable('RdBu');
    assert.equal(colors.length, tableSize);
    const at = (share: number): string => hexColor(colors[Math.round(share * (tableSize - 1))]!);
    assert.equal(at(0), '#67001f');
    assert.equal(at(0.3), '#f4a582');
    assert.equal(at(0.5), '#f7f7f7');
    assert.equal(at(1), '#053061');
    assert.equal(hexColor(colorTable('PuOr').colors[0]!), '#7f3b08');
    assert.equal(hexColor(colorTable('cividis').colors.at(-1)!), '#fee838');
  });

  it('grow lighter from the middle outwards in dark themes, and never lose the sign', () => {
    for (const name of ['RdBu', 'PuOr'] as const) {
      const { colors } = colorTable(name, [30, 30, 30]);
      const middle = (tableSize - 1) / 2;
      assert.deepEqual(colors[middle], [30, 30, 30]);
      const low = colors[0]!;
      const high = colors.at(-1)!;
      assert.ok(lightness(low) > 120 && lightness(high) > 120);
      assert.ok(low[0] - low[2] > 60, 'one end is warm');
      assert.ok(high[2] - high[0] > 30, 'the other is cool');
    }
  });

  it('cividis grows lighter from end to end', () => {
    const { colors } = colorTable('cividis');
    const steps = colors
      .slice(1)
      .map((color, index) => lightness(color) - lightness(colors[index]!));
    assert.ok(steps.every(step => step >= -1));
  });
});

describe('scales', () => {
  it('give zero the middle, the limit the ends, and clip what is beyond', () => {
    assert.equal(colorIndex(0, 2, true), 255);
    assert.equal(colorIndex(2, 2, true), 510);
    assert.equal(colorIndex(-2, 2, true), 0);
    assert.equal(colorIndex(-99, 2, true), 0);
    assert.equal(colorIndex(-2, 2, false), 510);
    assert.equal(colorIndex(5, 0, true), 255, 'a matrix of zeros has no scale');
  });

  it('count what is not finite and leave it out of extent and limit', () => {
    const values = Float32Array.of(1, NaN, -3, Infinity, 2);
    assert.deepEqual(extentOf(values), { minimum: -3, maximum: 2, notFinite: 2 });
    assert.equal(limitOf([values], 'maximum'), 3);
    assert.equal(countBeyond(values, 1.5), 2);
    assert.deepEqual(extentOf(Float32Array.of(NaN)), { minimum: 0, maximum: 0, notFinite: 1 });
  });

  it('let an outlier not darken everything else at 99.5 %', () => {
    const values = Float32Array.from({ length: 1000 }, (_, index) => index / 1000);
    values[0] = 10;
    const limit = limitOf([values], 'percentile');
    assert.ok(limit > 0.98 && limit < 1.01, String(limit));
  });

  it('paint the very colours that single values have', () => {
    for (const name of ['RdBu', 'PuOr', 'cividis'] as const) {
      const table = colorTable(name);
      const values = Float32Array.from({ length: 2001 }, (_, index) => (index - 1000) / 700);
      values[7] = NaN;
      values[8] = -Infinity;
      const pixels = new Uint32Array(values.length);
      paint(values, { limit: 1 }, table, pixels);
      const bytes = new Uint8Array(pixels.buffer);
      values.forEach((value, index) => {
        const painted = [...bytes.slice(index * 4, index * 4 + 4)];
        assert.deepEqual(
          painted,
          [...colorOf(value, { limit: 1 }, table), 255],
          `${name} ${value}`,
        );
      });
    }
  });
});
