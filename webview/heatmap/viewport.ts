/** Where a person looks: independent of the resolution, so that exact values may replace pooled ones. */
export interface Viewport {
  /** 1 shows the whole matrix. */
  readonly zoom: number;
  /** Centre of what is seen, as shares of the matrix. */
  readonly x: number;
  readonly y: number;
}

/** A rectangle in CSS pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The whole matrix. */
export const wholeView: Viewport = { zoom: 1, x: 0.5, y: 0.5 };

/**
 * Where the whole matrix would lie, in CSS pixels: centred, partly outside when zoomed. `rows` and
 * `columns` are those of the whole matrix, so that pooled and exact values lie in the same place.
 */
export function placeMatrix(area: Box, rows: number, columns: number, view: Viewport): Box {
  const cell = Math.min(area.width / columns, area.height / rows) * view.zoom;
  const width = cell * columns;
  const height = cell * rows;
  return {
    left: area.left + area.width / 2 - view.x * width,
    top: area.top + area.height / 2 - view.y * height,
    width,
    height,
  };
}

/** Keeps the matrix in sight: an axis that fits is centred, another may not leave a gap. */
export function clampView(area: Box, rows: number, columns: number, view: Viewport): Viewport {
  const zoom = Math.max(1, Math.min(view.zoom, Math.max(rows, columns)));
  const { width, height } = placeMatrix(area, rows, columns, { ...view, zoom });
  const keep = (share: number, seen: number, length: number): number =>
    length <= seen ? 0.5 : Math.min(1 - seen / 2 / length, Math.max(seen / 2 / length, share));
  return { zoom, x: keep(view.x, area.width, width), y: keep(view.y, area.height, height) };
}

/** Zooms so that what lies at (x, y), in CSS pixels, stays there. */
export function zoomAt(
  area: Box,
  rows: number,
  columns: number,
  view: Viewport,
  factor: number,
  x: number,
  y: number,
): Viewport {
  const before = placeMatrix(area, rows, columns, view);
  const zoom = Math.max(1, Math.min(view.zoom * factor, Math.max(rows, columns)));
  const shareX = (x - before.left) / before.width;
  const shareY = (y - before.top) / before.height;
  const after = placeMatrix(area, rows, columns, { ...view, zoom });
  return clampView(area, rows, columns, {
    zoom,
    x: shareX - (x - area.left - area.width / 2) / after.width,
    y: shareY - (y - area.top - area.height / 2) / after.height,
  });
}

/** Moves so that a part of the matrix, given in shares of it, can be seen. */
export function reveal(
  area: Box,
  rows: number,
  columns: number,
  view: Viewport,
  part: Box,
): Viewport {
  const placed = placeMatrix(area, rows, columns, view);
  const seenX = Math.min(1, area.width / placed.width) / 2;
  const seenY = Math.min(1, area.height / placed.height) / 2;
  const keep = (share: number, from: number, to: number, seen: number): number =>
    Math.min(from + seen, Math.max(to - seen, share));
  return clampView(area, rows, columns, {
    zoom: view.zoom,
    x: keep(view.x, part.left, part.left + part.width, seenX),
    y: keep(view.y, part.top, part.top + part.height, seenY),
  });
}

/** The cell at (x, y), in CSS pixels, or undefined beside the matrix. */
export function cellAt(
  placed: Box,
  rows: number,
  columns: number,
  x: number,
  y: number,
): { readonly row: number; readonly column: number } | undefined {
  const column = Math.floor(((x - placed.left) / placed.width) * columns);
  const row = Math.floor(((y - placed.top) / placed.height) * rows);
  const inside = row >= 0 && row < rows && column >= 0 && column < columns;
  return inside ? { row, column } : undefined;
}

/** Indices to write beside an axis: every 1, 2, 5, 10, 20, 50… so that they are `apart` pixels or more. */
export function axisTicks(length: number, pixels: number, apart: number): readonly number[] {
  let step = 1;
  for (let power = 1; (pixels / length) * step < apart; power *= 10) {
    step =
      [1, 2, 5, 10].map(unit => unit * power).find(unit => (pixels / length) * unit >= apart) ??
      power * 10;
  }
  return Array.from({ length: Math.ceil(length / step) }, (_, index) => index * step);
}
