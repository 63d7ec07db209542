import assert from 'node:assert/strict';
import type { PooledMatrix } from '../../../src/protocol/events';
import { pixelAt, type CanvasPixels } from './canvas';

/**
 * Asserts that a picture of one pixel a cell shows a matrix in a red–blue map: the hue tells the sign,
 * the brightness grows or falls with the magnitude. `limit` is the largest magnitude of the whole run, which
 * all pictures of an operator share. Weak values are near the colour of the background, whose hue and
 * brightness are the theme's.
 */
export function assertShowsMatrix(pixels: CanvasPixels, matrix: PooledMatrix, limit: number): void {
  const { name, rows, columns, values } = matrix;
  assert.deepEqual([pixels.height, pixels.width], [rows, columns], name);
  const cells = values.map((value, index) => {
    const [red = 0, green = 0, blue = 0, alpha = 0] = pixelAt(
      pixels,
      index % columns,
      Math.floor(index / columns),
    );
    assert.equal(alpha, 255, `${name}: cell ${index} is not painted`);
    return { value, red, blue, brightness: 0.299 * red + 0.587 * green + 0.114 * blue };
  });
  const strong = cells.filter(({ value }) => Math.abs(value) > 0.3 * limit);
  for (const { value, red, blue } of strong) {
    assert.ok(value < 0 ? red > blue : blue > red, `${name}: ${value} is rgb(${red}, …, ${blue})`);
  }
  for (const sign of [-1, 1]) {
    assertMonotone(
      strong.filter(({ value }) => value * sign > 0),
      name,
    );
  }
}

/** Brightness may only go one way as magnitude grows; one grey level is lost to rounding. */
function assertMonotone(
  cells: readonly { readonly value: number; readonly brightness: number }[],
  name: string,
): void {
  const sorted = [...cells].sort((a, b) => Math.abs(a.value) - Math.abs(b.value));
  const first = sorted[0];
  const last = sorted.at(-1);
  if (!first || !last) return;
  const direction = Math.sign(last.brightness - first.brightness);
  for (const [index, { brightness, value }] of sorted.entries()) {
    const before = sorted[index - 1]?.brightness ?? brightness;
    assert.ok(
      (brightness - before) * direction >= -1.5,
      `${name}: ${value} breaks the order of brightness`,
    );
  }
}
