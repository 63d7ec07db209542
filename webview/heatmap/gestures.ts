/** A cell of the matrix that is drawn. */
export interface Cell {
  readonly row: number;
  readonly column: number;
}

/** What keys, wheel and pointer can do to a heatmap. Positions are CSS pixels in the canvas. */
export interface Gestures {
  /** Where the keyboard cursor is. */
  cursor(): Cell | undefined;
  /** Moves the cursor; what is beyond the matrix is taken for its edge. */
  moveCursor(row: number, column: number): void;
  clearCursor(): void;
  zoom(factor: number, x?: number, y?: number): void;
  showAll(): void;
  pan(x: number, y: number): void;
  hover(x: number, y: number): void;
  leave(): void;
  choose(x: number, y: number): void;
}

/** Connects a canvas with what a person does on it. */
export function listenToGestures(canvas: HTMLCanvasElement, gestures: Gestures): void {
  canvas.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const cursor = gestures.cursor();
    const { row, column } = cursor ?? { row: 0, column: 0 };
    // The first arrow key shows where the cursor is; the next ones move it.
    const step = cursor === undefined ? 0 : event.shiftKey ? 10 : 1;
    const moves: Record<string, () => void> = {
      ArrowUp: () => gestures.moveCursor(row - step, column),
      ArrowDown: () => gestures.moveCursor(row + step, column),
      ArrowLeft: () => gestures.moveCursor(row, column - step),
      ArrowRight: () => gestures.moveCursor(row, column + step),
      Home: () => gestures.moveCursor(row, 0),
      End: () => gestures.moveCursor(row, Infinity),
      PageUp: () => gestures.moveCursor(0, column),
      PageDown: () => gestures.moveCursor(Infinity, column),
      '+': () => gestures.zoom(1.5),
      '=': () => gestures.zoom(1.5),
      '-': () => gestures.zoom(1 / 1.5),
      '0': () => gestures.showAll(),
      Escape: () => gestures.clearCursor(),
    };
    const move = moves[event.key];
    if (move === undefined) return;
    event.preventDefault();
    move();
  });

  // Without focus the wheel belongs to the page; pinching arrives as a wheel with Ctrl.
  canvas.addEventListener(
    'wheel',
    event => {
      if (document.activeElement !== canvas && !event.ctrlKey) return;
      event.preventDefault();
      const speed = event.ctrlKey ? 0.01 : 0.0015;
      gestures.zoom(Math.exp(-event.deltaY * speed), event.offsetX, event.offsetY);
    },
    { passive: false },
  );
  canvas.addEventListener('dblclick', event => gestures.zoom(2, event.offsetX, event.offsetY));

  let dragged = false;
  canvas.addEventListener('pointerdown', event => {
    dragged = false;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', event => {
    if (!canvas.hasPointerCapture(event.pointerId)) {
      gestures.hover(event.offsetX, event.offsetY);
      return;
    }
    dragged ||= Math.abs(event.movementX) + Math.abs(event.movementY) > 1;
    if (dragged) gestures.pan(event.movementX, event.movementY);
  });
  canvas.addEventListener('pointerup', event => {
    if (!dragged) gestures.choose(event.offsetX, event.offsetY);
  });
  canvas.addEventListener('pointerleave', () => gestures.leave());
}
