import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { colorTable } from '../../../webview/heatmap/colorMaps';
import { matrixCsv, matrixSvg } from '../../../webview/heatmap/exportText';
import { halve, pooledRange, toFloat32, type Matrix } from '../../../webview/heatmap/matrix';
import {
  axisTicks,
  cellAt,
  clampView,
  placeMatrix,
  reveal,
  wholeView,
  zoomAt,
} from '../../../webview/heatmap/viewport';

const matrix = (rows: number, columns: number, values: readonly number[]): Matrix => ({
  name: 'm',
  shape: [rows, columns],
  rows,
  columns,
  values: Float32Array.from(values),
});

describe('matrices', () => {
  it('take null, which JSON makes of NaN, for NaN', () => {
    assert.deepEqual([...toFloat32([1, null, 0])], [1, NaN, 0]);
  });

  it('keep the largest magnitude when halved, with its sign, and NaN before all', () => {
    const halved = halve(matrix(3, 3, [1, -5, 2, 0, 3, -4, NaN, 9, 7]));
    assert.deepEqual([halved.rows, halved.columns], [2, 2]);
    assert.deepEqual([...halved.values], [-5, -4, NaN, 7]);
  });

  it('know which rows a pooled cell stands for', () => {
    assert.deepEqual(pooledRange(3, 6, 6), [3, 3]);
    assert.deepEqual(pooledRange(0, 64, 128), [0, 1]);
    assert.deepEqual(pooledRange(63, 64, 128), [126, 127]);
    const covered = Array.from({ length: 64 }, (_, cell) => pooledRange(cell, 64, 100));
    assert.equal(covered[0]![0], 0);
    assert.equal(covered.at(-1)![1], 99);
    for (let index = 0; index < 100; index++) {
      const [first, last] = covered[Math.floor((index * 64) / 100)]!;
      assert.ok(first <= index && index <= last, 'as the pooling does it');
    }
    covered.slice(1).forEach(([first], index) => assert.equal(first, covered[index]![1] + 1));
  });
});

describe('the view of a heatmap', () => {
  const area = { left: 10, top: 20, width: 400, height: 200 };

  it('centres the whole matrix', () => {
    assert.deepEqual(placeMatrix(area, 10, 10, wholeView), {
      left: 110,
      top: 20,
      width: 200,
      height: 200,
    });
  });

  it('keeps what is under the pointer there when it zooms', () => {
    const before = cellAt(placeMatrix(area, 100, 200, wholeView), 100, 200, 150, 90);
    let view = wholeView;
    for (let count = 0; count < 5; count++) view = zoomAt(area, 100, 200, view, 1.4, 150, 90);
    assert.deepEqual(cellAt(placeMatrix(area, 100, 200, view), 100, 200, 150, 90), before);
  });

  it('cannot be moved off the matrix', () => {
    const view = clampView(area, 100, 200, { zoom: 4, x: -3, y: 9 });
    const placed = placeMatrix(area, 100, 200, view);
    assert.equal(placed.left, area.left);
    assert.ok(Math.abs(placed.top + placed.height - (area.top + area.height)) < 1e-9);
    assert.deepEqual(clampView(area, 100, 200, { zoom: 0.1, x: 0, y: 0 }), wholeView);
  });

  it('follows the cursor out of sight', () => {
    const last = { left: 199 / 200, top: 99 / 100, width: 1 / 200, height: 1 / 100 };
    const view = reveal(area, 100, 200, { zoom: 10, x: 0.1, y: 0.1 }, last);
    const placed = placeMatrix(area, 100, 200, view);
    assert.deepEqual(cellAt(placed, 100, 200, 409, 219), { row: 99, column: 199 });
  });

  it('finds no cell beside the matrix', () => {
    assert.equal(cellAt(placeMatrix(area, 10, 10, wholeView), 10, 10, 105, 30), undefined);
  });

  it('writes round indices, far enough apart', () => {
    assert.deepEqual(axisTicks(6, 300, 36), [0, 1, 2, 3, 4, 5]);
    assert.deepEqual(axisTicks(768, 300, 36), [0, 100, 200, 300, 400, 500, 600, 700]);
  });
});

describe('exported matrices', () => {
  it('are comma-separated lines that read back as the same float32 numbers', () => {
    const values = [0.1, -1e-20, 3, NaN];
    const text = matrixCsv(matrix(2, 2, values));
    const read = text.trim().split(/[,\n]/).map(Number);
    assert.deepEqual(read.map(Math.fround), [...Float32Array.from(values)]);
    assert.equal(text.split('\n').length, 3);
  });

  it('are figures with escaped title, one rectangle a run of equal cells, and a legend', () => {
    const text = {
      title: 'a <b> & "c"',
      low: '−1',
      high: '1',
      foreground: '#000',
      background: '#fff',
    };
    const table = colorTable('RdBu');
    const svg = matrixSvg(matrix(1, 4, [1, 1, -1, 0]), { limit: 1 }, table, text, 'data:,');
    assert.ok(svg.includes('a &#60;b&#62; &#38; &#34;c&#34;'));
    assert.ok(svg.includes('<rect x="0" y="0" width="2" height="1" fill="#053061"/>'));
    assert.ok(svg.includes('<rect x="2" y="0" width="1" height="1" fill="#67001f"/>'));
    assert.ok(!svg.includes('<image'));
  });

  it('hold a picture when rectangles would be too many', () => {
    const text = { title: 't', low: '−1', high: '1', foreground: '#000', background: '#fff' };
    const zeros = new Array<number>(200 * 200).fill(0);
    const svg = matrixSvg(
      matrix(200, 200, zeros),
      { limit: 1 },
      colorTable('RdBu'),
      text,
      'data:x',
    );
    assert.ok(svg.includes('href="data:x"'));
  });
});
