import { announcer, element, oncePerFrame, setText } from '../shared/dom';
import { formatShape, formatValue, plural } from '../shared/format';
import { t } from '../shared/strings';
import { onThemeChange } from '../shared/theme';
import { button } from '../shared/ui/components';
import type { ColorMapName, ColorTable } from './colorMaps';
import { drawHeatmap, margin } from './drawing';
import { listenToGestures, type Cell } from './gestures';
import { createLegend } from './legend';
import { pooledRange, type Matrix } from './matrix';
import { Picture } from './picture';
import type { Scale } from './scale';
import { themeTable } from './themeTable';
import * as viewports from './viewport';

/** What a heatmap is told when it is made. */
export interface HeatmapOptions {
  readonly colorMap: ColorMapName;
  /** Called when a person looks closer than the whole, for exact values. */
  readonly onCloser?: () => void;
}

/** What the axes of a matrix are, for tooltips: "large layer", "small layer". */
export interface AxisNames {
  readonly row: string;
  readonly column: string;
}

/** A matrix to look at: zoom, pan, tooltip, keyboard cursor and legend. */
export interface Heatmap {
  readonly element: HTMLElement;
  /** Shows a matrix; one of the same name keeps the view and the cursor. */
  show(matrix: Matrix, scale: Scale, axes: AxisNames): void;
  setColorMap(name: ColorMapName): void;
  /** The matrix with its colours as they are now, for exports. */
  current(): { matrix: Matrix; scale: Scale; table: ColorTable; picture: Picture } | undefined;
}

/** Makes a heatmap. */
export function createHeatmap(options: HeatmapOptions): Heatmap {
  const canvas = element('canvas', {
    class: 'heatmap-canvas',
    attributes: {
      tabindex: 0,
      role: 'application',
      'aria-roledescription': t('heatmap'),
      'aria-keyshortcuts': 'ArrowUp ArrowDown ArrowLeft ArrowRight Home End + - 0',
    },
  });
  const cursorBox = element('div', { class: 'heatmap-cursor', attributes: { hidden: true } });
  const tooltip = element('div', { class: 'heatmap-tooltip', attributes: { hidden: true } });
  const stage = element('div', { class: 'heatmap-stage' }, canvas, cursorBox, tooltip);
  const live = announcer();
  const legend = createLegend();
  const size = element('span', { class: 'quiet number grow' });
  const reset = button(t('Reset'), () => setView(viewports.wholeView), {
    label: t('Reset: show the whole matrix'),
  });
  const toolbar = element(
    'div',
    { class: 'row heatmap-toolbar' },
    size,
    button('−', () => zoomBy(1 / 1.5), { label: t('Zoom out') }),
    button('+', () => zoomBy(1.5), { label: t('Zoom in') }),
    reset,
  );
  const hint = element('p', {
    class: 'quiet heatmap-hint',
    text: t('Arrow keys move from cell to cell, + and − zoom, 0 shows all. Drag to move.'),
  });
  const root = element(
    'div',
    { class: 'heatmap' },
    toolbar,
    stage,
    legend.element,
    hint,
    live.element,
  );

  let colorMap = options.colorMap;
  let table = themeTable(colorMap);
  let matrix: Matrix | undefined;
  let scale: Scale = { limit: 1 };
  let axes: AxisNames = { row: t('row'), column: t('column') };
  let picture: Picture | undefined;
  let view = viewports.wholeView;
  let cursor: Cell | undefined;
  let hovered: Cell | undefined;

  const draw = oncePerFrame(drawNow);

  function area(): viewports.Box {
    return {
      left: margin.left,
      top: margin.top,
      width: Math.max(1, canvas.clientWidth - margin.left - margin.right),
      height: Math.max(1, canvas.clientHeight - margin.top - margin.bottom),
    };
  }

  /** As tall as the matrix is when it fills the width, within bounds. */
  function fitStage(): void {
    if (matrix === undefined || canvas.clientWidth === 0) return;
    const width = canvas.clientWidth - margin.left - margin.right;
    const height = (width * matrix.shape[0]) / matrix.shape[1] + margin.top + margin.bottom;
    stage.style.setProperty('height', `${Math.round(Math.max(120, Math.min(480, height)))}px`);
  }

  function placed(): viewports.Box {
    if (matrix === undefined) return area();
    return viewports.placeMatrix(area(), ...matrix.shape, view);
  }

  function drawNow(): void {
    const context = canvas.getContext('2d');
    if (matrix === undefined || picture === undefined || context === null) return;
    const density = window.devicePixelRatio;
    const width = Math.round(canvas.clientWidth * density);
    const height = Math.round(canvas.clientHeight * density);
    if (width === 0 || height === 0) return;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    drawHeatmap(context, matrix, picture, area(), placed(), density);
    placeCursor();
  }

  function repaint(): void {
    if (matrix === undefined) return;
    picture = new Picture(matrix, scale, table, picture?.release());
    legend.update(matrix, scale, table);
    draw();
  }

  function describe(row: number, column: number): readonly [where: string, value: string] {
    if (matrix === undefined) return ['', ''];
    const range = (index: number, cells: number, length: number): string => {
      const [first, last] = pooledRange(index, cells, length);
      return first === last ? String(first) : `${first}–${last}`;
    };
    const where = t(
      '{0} {1}, {2} {3}',
      axes.row,
      range(row, matrix.rows, matrix.shape[0]),
      axes.column,
      range(column, matrix.columns, matrix.shape[1]),
    );
    const value = formatValue(matrix.values[row * matrix.columns + column] ?? NaN);
    const pooled = matrix.rows !== matrix.shape[0] || matrix.columns !== matrix.shape[1];
    return [where, pooled ? t('{0} (largest there)', value) : value];
  }

  function placeCursor(): void {
    const at = cursor ?? hovered;
    const box = placed();
    const bounds = area();
    if (matrix === undefined || at === undefined) {
      cursorBox.hidden = tooltip.hidden = true;
      return;
    }
    const width = box.width / matrix.columns;
    const height = box.height / matrix.rows;
    const left = box.left + at.column * width;
    const top = box.top + at.row * height;
    const inside =
      left + width > bounds.left &&
      top + height > bounds.top &&
      left < bounds.left + bounds.width &&
      top < bounds.top + bounds.height;
    cursorBox.hidden = tooltip.hidden = !inside;
    if (!inside) return;
    cursorBox.style.setProperty('transform', `translate(${left}px, ${top}px)`);
    cursorBox.style.setProperty('width', `${Math.max(5, width)}px`);
    cursorBox.style.setProperty('height', `${Math.max(5, height)}px`);
    const [where, value] = describe(at.row, at.column);
    tooltip.replaceChildren(
      element('strong', { class: 'number', text: value }),
      element('span', { text: where }),
    );
    const right = left > canvas.clientWidth / 2;
    const below = top < 60;
    tooltip.style.setProperty(
      'transform',
      `translate(${right ? left - 8 : left + width + 8}px, ${below ? top + height + 8 : top - 8}px) translate(${right ? '-100%' : '0'}, ${below ? '0' : '-100%'})`,
    );
  }

  function setView(next: viewports.Viewport): void {
    if (matrix === undefined) return;
    view = viewports.clampView(area(), ...matrix.shape, next);
    if (view.zoom > 1) options.onCloser?.();
    draw();
  }

  function zoomBy(factor: number, x?: number, y?: number): void {
    if (matrix === undefined) return;
    const bounds = area();
    const box = placed();
    const at = cursor && {
      x: box.left + ((cursor.column + 0.5) / matrix.columns) * box.width,
      y: box.top + ((cursor.row + 0.5) / matrix.rows) * box.height,
    };
    setView(
      viewports.zoomAt(
        bounds,
        ...matrix.shape,
        view,
        factor,
        x ?? at?.x ?? bounds.left + bounds.width / 2,
        y ?? at?.y ?? bounds.top + bounds.height / 2,
      ),
    );
  }

  function moveCursor(row: number, column: number): void {
    if (matrix === undefined) return;
    const keep = (value: number, count: number): number => Math.max(0, Math.min(count - 1, value));
    cursor = { row: keep(row, matrix.rows), column: keep(column, matrix.columns) };
    view = viewports.reveal(area(), ...matrix.shape, view, {
      left: cursor.column / matrix.columns,
      top: cursor.row / matrix.rows,
      width: 1 / matrix.columns,
      height: 1 / matrix.rows,
    });
    live.say(describe(cursor.row, cursor.column).join(': '));
    draw();
  }

  const cellAt = (x: number, y: number): Cell | undefined =>
    matrix && viewports.cellAt(placed(), matrix.rows, matrix.columns, x, y);

  listenToGestures(canvas, {
    cursor: () => cursor,
    moveCursor,
    clearCursor: () => {
      cursor = undefined;
      placeCursor();
    },
    zoom: zoomBy,
    showAll: () => setView(viewports.wholeView),
    pan: (x, y) => {
      const box = placed();
      setView({ ...view, x: view.x - x / box.width, y: view.y - y / box.height });
    },
    hover: (x, y) => {
      hovered = cellAt(x, y);
      if (hovered !== undefined) cursor = undefined;
      placeCursor();
    },
    leave: () => {
      hovered = undefined;
      placeCursor();
    },
    choose: (x, y) => {
      const cell = cellAt(x, y);
      if (cell !== undefined) moveCursor(cell.row, cell.column);
    },
  });
  new ResizeObserver(() => {
    fitStage();
    draw();
  }).observe(canvas);
  onThemeChange(() => {
    table = themeTable(colorMap);
    repaint();
  });

  return {
    element: root,
    show: (next, nextScale, nextAxes) => {
      const before = matrix;
      const unchanged = before === next && scale.limit === nextScale.limit;
      if (before?.name === next.name) {
        // Exact values have more cells than pooled ones; what was pointed at stays pointed at.
        const carry = (cell: Cell | undefined): Cell | undefined =>
          cell && {
            row: Math.min(next.rows - 1, Math.floor((cell.row / before.rows) * next.rows)),
            column: Math.min(
              next.columns - 1,
              Math.floor((cell.column / before.columns) * next.columns),
            ),
          };
        cursor = carry(cursor);
        hovered = carry(hovered);
      } else {
        view = viewports.wholeView;
        cursor = hovered = undefined;
      }
      matrix = next;
      scale = nextScale;
      axes = nextAxes;
      const shown =
        next.rows === next.shape[0] && next.columns === next.shape[1]
          ? ''
          : t(', shown as {0}', formatShape([next.rows, next.columns]));
      setText(size, `${formatShape(next.shape)}${shown}`);
      canvas.dataset['operator'] = next.name;
      canvas.setAttribute(
        'aria-label',
        t(
          '{0}, {1}, {2}',
          next.name,
          plural(next.rows, '{0} row', '{0} rows'),
          plural(next.columns, '{0} column', '{0} columns'),
        ),
      );
      fitStage();
      if (!unchanged) repaint();
    },
    setColorMap: name => {
      colorMap = name;
      table = themeTable(name);
      repaint();
    },
    current: () => matrix && picture && { matrix, scale, table, picture },
  };
}
