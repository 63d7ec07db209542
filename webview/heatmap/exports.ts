import { formatTick } from '../shared/format';
import { themeColor } from '../shared/theme';
import { figureSize, matrixCsv, matrixSvg, type FigureText } from './exportText';
import type { Heatmap } from './heatmap';

/** A file for the host to save: text, or base64 for a PNG. */
export interface ExportedFile {
  readonly format: 'png' | 'svg' | 'csv';
  readonly name: string;
  readonly content: string;
}

const prefix = 'data:image/png;base64,';

/** A name as every file system takes it. */
export const fileName = (text: string): string => text.replace(/[^\w.-]+/g, '-');

/** What a heatmap shows, as a file; undefined when it shows nothing. */
export function exportHeatmap(
  heatmap: Heatmap,
  format: ExportedFile['format'],
  title: string,
): ExportedFile | undefined {
  const current = heatmap.current();
  if (current === undefined) return undefined;
  const { matrix, scale, table, picture } = current;
  const name = `${fileName(title)}.${format}`;
  if (format === 'csv') return { format, name, content: matrixCsv(matrix) };
  const text: FigureText = {
    title,
    low: table.diverging ? formatTick(-scale.limit) : '0',
    high: formatTick(scale.limit),
    foreground: themeColor('--vscode-editor-foreground', '#cccccc'),
    background: themeColor('--vscode-editor-background', '#1e1e1e'),
  };
  const cells = picture.level(0);
  if (format === 'svg') {
    return { format, name, content: matrixSvg(matrix, scale, table, text, cells.toDataURL()) };
  }
  const size = figureSize(matrix.rows, matrix.columns);
  const canvas = document.createElement('canvas');
  canvas.width = size.width;
  canvas.height = size.height;
  const context = canvas.getContext('2d');
  if (context === null) return undefined;
  context.fillStyle = text.background;
  context.fillRect(0, 0, size.width, size.height);
  context.fillStyle = text.foreground;
  context.font = '15px system-ui, sans-serif';
  context.fillText(title, 20, 28);
  context.imageSmoothingEnabled = false;
  context.drawImage(cells, 20, 44, size.matrixWidth, size.matrixHeight);
  const top = size.matrixHeight + 64;
  for (let x = 0; x < 200; x++) {
    const color = table.colors[Math.round((x / 199) * (table.colors.length - 1))];
    context.fillStyle = `rgb(${(color ?? table.notFinite).join(' ')})`;
    context.fillRect(20 + x, top, 1, 12);
  }
  context.fillStyle = text.foreground;
  context.font = '12px system-ui, sans-serif';
  context.fillText(text.low, 20, top + 28);
  context.textAlign = 'center';
  if (table.diverging) context.fillText('0', 120, top + 28);
  context.textAlign = 'right';
  context.fillText(text.high, 220, top + 28);
  return { format, name, content: canvas.toDataURL().slice(prefix.length) };
}
