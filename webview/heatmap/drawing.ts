import { themeColor } from '../shared/theme';
import { formatTick } from '../shared/format';
import type { Rgb } from './colorMaps';
import type { Matrix } from './matrix';
import type { Picture } from './picture';
import { colorOf } from './scale';
import { axisTicks, type Box } from './viewport';

/** Cells get a gap from this size on, and their number written in from the next, in CSS pixels. */
const gapFrom = 9;
const numberFrom = 46;

/** Room beside the matrix for the indices, in CSS pixels. */
export const margin = { left: 34, top: 22, right: 10, bottom: 10 } as const;

const isPale = ([red, green, blue]: Rgb): boolean =>
  red * 0.299 + green * 0.587 + blue * 0.114 > 140;

/** Size of a cell in CSS pixels; not square where pooling was not. */
interface Cell {
  readonly width: number;
  readonly height: number;
}

/** Draws matrix, gaps, numbers and indices. `area` is where the matrix may be seen. */
export function drawHeatmap(
  context: CanvasRenderingContext2D,
  matrix: Matrix,
  picture: Picture,
  area: Box,
  placed: Box,
  density: number,
): void {
  const { canvas } = context;
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.save();
  context.beginPath();
  context.rect(area.left, area.top, area.width, area.height);
  context.clip();
  context.imageSmoothingEnabled = false;
  const cell = { width: placed.width / matrix.columns, height: placed.height / matrix.rows };
  const side = Math.min(cell.width, cell.height);
  context.drawImage(
    picture.at(side * density),
    placed.left,
    placed.top,
    placed.width,
    placed.height,
  );
  if (side >= gapFrom) drawGaps(context, matrix, area, placed, cell);
  if (side >= numberFrom) drawNumbers(context, matrix, picture, area, placed, cell);
  context.restore();
  drawIndices(context, matrix, area, placed);
}

/** The cells that can be seen along one axis. */
function seen(start: number, cell: number, count: number, from: number, to: number): number[] {
  const first = Math.max(0, Math.floor((from - start) / cell));
  const last = Math.min(count, Math.ceil((to - start) / cell));
  return Array.from({ length: Math.max(0, last - first) }, (_, index) => first + index);
}

function drawGaps(
  context: CanvasRenderingContext2D,
  { rows, columns }: Matrix,
  area: Box,
  placed: Box,
  cell: Cell,
): void {
  context.fillStyle = themeColor('--vscode-editor-background', '#1e1e1e');
  for (const column of seen(placed.left, cell.width, columns, area.left, area.left + area.width)) {
    if (column > 0)
      context.fillRect(placed.left + column * cell.width - 0.5, placed.top, 1, placed.height);
  }
  for (const row of seen(placed.top, cell.height, rows, area.top, area.top + area.height)) {
    if (row > 0)
      context.fillRect(placed.left, placed.top + row * cell.height - 0.5, placed.width, 1);
  }
}

function drawNumbers(
  context: CanvasRenderingContext2D,
  { rows, columns, values }: Matrix,
  picture: Picture,
  area: Box,
  placed: Box,
  cell: Cell,
): void {
  const font = themeColor('--vscode-font-family', 'sans-serif');
  context.font = `${Math.min(14, cell.width / 4)}px ${font}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (const row of seen(placed.top, cell.height, rows, area.top, area.top + area.height)) {
    for (const column of seen(
      placed.left,
      cell.width,
      columns,
      area.left,
      area.left + area.width,
    )) {
      const value = values[row * columns + column] ?? NaN;
      const pale = isPale(colorOf(value, picture.scale, picture.table));
      context.fillStyle = pale ? '#000000' : '#ffffff';
      const text = Number.isFinite(value) ? formatTick(value) : String(value);
      context.fillText(
        text,
        placed.left + (column + 0.5) * cell.width,
        placed.top + (row + 0.5) * cell.height,
      );
    }
  }
}

function drawIndices(
  context: CanvasRenderingContext2D,
  { shape: [wholeRows, wholeColumns] }: Matrix,
  area: Box,
  placed: Box,
): void {
  context.fillStyle = themeColor('--vscode-descriptionForeground', '#999999');
  context.font = `11px ${themeColor('--vscode-font-family', 'sans-serif')}`;
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  const top = Math.max(area.top, placed.top) - 6;
  const left = Math.max(area.left, placed.left) - 6;
  const cellWidth = placed.width / wholeColumns;
  for (const column of axisTicks(wholeColumns, placed.width, 36)) {
    const x = placed.left + (column + 0.5) * cellWidth;
    if (x >= area.left && x <= area.left + area.width) context.fillText(String(column), x, top);
  }
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  const cellHeight = placed.height / wholeRows;
  for (const row of axisTicks(wholeRows, placed.height, 22)) {
    const y = placed.top + (row + 0.5) * cellHeight;
    if (y >= area.top && y <= area.top + area.height) context.fillText(String(row), left, y);
  }
}
