import { hexColor, type ColorTable } from './colorMaps';
import type { Matrix } from './matrix';
import { colorOf, type Scale } from './scale';

/** A matrix as comma-separated values: one line a row, full precision; what is not finite by name. */
export function matrixCsv({ rows, columns, values }: Matrix): string {
  const lines: string[] = [];
  for (let row = 0; row < rows; row++) {
    const cells: string[] = [];
    for (let column = 0; column < columns; column++) {
      // A float32 is told from its neighbours by nine digits; more would be noise.
      const value = values[row * columns + column] ?? NaN;
      cells.push(String(Number.isFinite(value) ? Number(value.toPrecision(9)) : value));
    }
    lines.push(cells.join(','));
  }
  return `${lines.join('\n')}\n`;
}

/** Text as XML wants it. */
export const escapeXml = (text: string): string =>
  text.replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`);

/** Cells of one colour beside each other become one rectangle. */
function cellRectangles(
  { rows, columns, values }: Matrix,
  scale: Scale,
  table: ColorTable,
): string {
  const parts: string[] = [];
  for (let row = 0; row < rows; row++) {
    let start = 0;
    while (start < columns) {
      const color = hexColor(colorOf(values[row * columns + start] ?? NaN, scale, table));
      let end = start + 1;
      while (
        end < columns &&
        hexColor(colorOf(values[row * columns + end] ?? NaN, scale, table)) === color
      ) {
        end++;
      }
      parts.push(
        `<rect x="${start}" y="${row}" width="${end - start}" height="1" fill="${color}"/>`,
      );
      start = end;
    }
  }
  return parts.join('');
}

/** Above this many cells an SVG holds the picture instead of rectangles. */
const mostRectangles = 20_000;

/** What a figure shows beside the matrix. */
export interface FigureText {
  readonly title: string;
  readonly low: string;
  readonly high: string;
  readonly foreground: string;
  readonly background: string;
}

/** Sizes of an exported figure in pixels. */
export function figureSize(
  rows: number,
  columns: number,
): {
  readonly cell: number;
  readonly width: number;
  readonly height: number;
  readonly matrixWidth: number;
  readonly matrixHeight: number;
} {
  const cell = Math.max(1, Math.floor(640 / Math.max(rows, columns)));
  const matrixWidth = cell * columns;
  const matrixHeight = cell * rows;
  return {
    cell,
    matrixWidth,
    matrixHeight,
    width: Math.max(320, matrixWidth + 40),
    height: matrixHeight + 110,
  };
}

/**
 * A matrix with title and legend as SVG. `picture` is a PNG data address with one pixel a cell; it is
 * used above `mostRectangles` cells.
 */
export function matrixSvg(
  matrix: Matrix,
  scale: Scale,
  table: ColorTable,
  text: FigureText,
  picture: string,
): string {
  const { rows, columns } = matrix;
  const { cell, width, height, matrixWidth, matrixHeight } = figureSize(rows, columns);
  const cells =
    rows * columns <= mostRectangles
      ? `<g transform="scale(${cell})" shape-rendering="crispEdges">${cellRectangles(matrix, scale, table)}</g>`
      : `<image width="${matrixWidth}" height="${matrixHeight}" preserveAspectRatio="none" image-rendering="pixelated" href="${picture}"/>`;
  const stops = [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1]
    .map(at => {
      const color = table.colors[Math.round(at * (table.colors.length - 1))] ?? table.notFinite;
      return `<stop offset="${at}" stop-color="${hexColor(color)}"/>`;
    })
    .join('');
  const label = (x: number, y: number, anchor: string, size: number, content: string): string =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}" fill="${text.foreground}">${escapeXml(content)}</text>`;
  const legendTop = matrixHeight + 64;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">`,
    `<title>${escapeXml(text.title)}</title>`,
    `<rect width="100%" height="100%" fill="${text.background}"/>`,
    label(20, 28, 'start', 15, text.title),
    `<g transform="translate(20 44)">${cells}</g>`,
    `<defs><linearGradient id="scale">${stops}</linearGradient></defs>`,
    `<rect x="20" y="${legendTop}" width="200" height="12" fill="url(#scale)"/>`,
    label(20, legendTop + 28, 'start', 12, text.low),
    ...(table.diverging ? [label(120, legendTop + 28, 'middle', 12, '0')] : []),
    label(220, legendTop + 28, 'end', 12, text.high),
    '</svg>\n',
  ].join('\n');
}
