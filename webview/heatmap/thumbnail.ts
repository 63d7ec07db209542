import { element } from '../shared/dom';
import type { ColorTable } from './colorMaps';
import type { Matrix } from './matrix';
import { paint, type Scale } from './scale';

/** A small picture of a matrix, one pixel a cell, enlarged by the style sheet. */
export function thumbnail(): {
  readonly element: HTMLCanvasElement;
  draw(matrix: Matrix, scale: Scale, table: ColorTable): void;
} {
  const canvas = element('canvas', { class: 'thumbnail', attributes: { 'aria-hidden': 'true' } });
  const context = canvas.getContext('2d');
  let image: ImageData | undefined;
  return {
    element: canvas,
    draw: ({ shape, rows, columns, values }, scale, table) => {
      if (context === null) return;
      if (image === undefined || image.width !== columns || image.height !== rows) {
        canvas.width = columns;
        canvas.height = rows;
        canvas.style.setProperty('aspect-ratio', `${shape[1]} / ${shape[0]}`);
        image = context.createImageData(columns, rows);
      }
      paint(values, scale, table, new Uint32Array(image.data.buffer));
      context.putImageData(image, 0, 0);
    },
  };
}
