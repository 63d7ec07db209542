import type { Locator } from 'playwright-core';

/** Colours of a canvas: 4 bytes a pixel, row by row. */
export interface CanvasPixels {
  readonly width: number;
  readonly height: number;
  readonly bytes: readonly number[];
}

/** The part of a browser's canvas that is used here. */
interface Canvas {
  readonly width: number;
  readonly height: number;
  getContext(kind: '2d'): {
    getImageData(
      x: number,
      y: number,
      width: number,
      height: number,
    ): { readonly data: Uint8ClampedArray };
  } | null;
}

/** Reads what a canvas of a page really shows. */
export const readCanvas = (canvas: Locator): Promise<CanvasPixels> =>
  canvas.evaluate(element => {
    const shown = element as unknown as Canvas;
    const { width, height } = shown;
    const context = shown.getContext('2d');
    if (!context) throw new Error('The canvas has no 2D context.');
    return { width, height, bytes: Array.from(context.getImageData(0, 0, width, height).data) };
  });

/** Red, green, blue and opacity of the pixel at a column and a row. */
export function pixelAt(pixels: CanvasPixels, column: number, row: number): readonly number[] {
  const at = 4 * (Math.floor(row) * pixels.width + Math.floor(column));
  return pixels.bytes.slice(at, at + 4);
}
