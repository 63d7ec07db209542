import type { ColorTable } from './colorMaps';
import { halve, type Matrix } from './matrix';
import { paint, type Scale } from './scale';

/** Smaller pictures of a matrix are kept this far: 2¹² cells become one. */
const deepest = 12;

/**
 * A matrix as pictures: one pixel a cell, painted when first asked for, and halves of it by largest
 * magnitude, so that an outlier is still seen when many cells share a screen pixel.
 */
export class Picture {
  readonly #levels: Matrix[];
  readonly #painted: (HTMLCanvasElement | undefined)[] = [];

  constructor(
    matrix: Matrix,
    readonly scale: Scale,
    readonly table: ColorTable,
    /** Canvases of an earlier picture, to be painted over instead of made anew. */
    private readonly spare: HTMLCanvasElement[] = [],
  ) {
    this.#levels = [matrix];
  }

  /** The picture whose cells are about one screen pixel or larger; `cell` in device pixels. */
  at(cell: number): HTMLCanvasElement {
    const wanted = Math.max(0, Math.min(deepest, Math.floor(-Math.log2(cell))));
    return this.level(Number.isFinite(wanted) ? wanted : 0);
  }

  /** The picture halved so many times. */
  level(index: number): HTMLCanvasElement {
    const ready = this.#painted[index];
    if (ready !== undefined) return ready;
    const { rows, columns, values } = this.#values(index);
    const at = this.spare.findIndex(({ width, height }) => width === columns && height === rows);
    const canvas = (at >= 0 ? this.spare.splice(at, 1)[0] : undefined) ?? newCanvas(columns, rows);
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('This page cannot draw.');
    const image = context.createImageData(columns, rows);
    paint(values, this.scale, this.table, new Uint32Array(image.data.buffer));
    context.putImageData(image, 0, 0);
    this.#painted[index] = canvas;
    return canvas;
  }

  /** The canvases, for the picture that comes after. */
  release(): HTMLCanvasElement[] {
    return this.#painted.splice(0).filter(canvas => canvas !== undefined);
  }

  #values(index: number): Matrix {
    const ready = this.#levels[index];
    if (ready !== undefined) return ready;
    const larger = this.#values(index - 1);
    const smaller = larger.rows * larger.columns === 1 ? larger : halve(larger);
    this.#levels[index] = smaller;
    return smaller;
  }
}

function newCanvas(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  return canvas;
}
