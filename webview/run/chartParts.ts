import type uPlot from 'uplot';
import type { LossUnit } from '../../src/protocol/evaluation';
import { element } from '../shared/dom';
import { formatTick } from '../shared/format';
import { t } from '../shared/strings';
import { themeColor } from '../shared/theme';
import { lossRange, lossTicks, spreadLabels } from './chartFrame';

/** A held-out loss drawn across a chart, with what is written beside it. */
export interface DrawnLevel {
  readonly loss: number;
  readonly text: string;
  readonly color: string;
  /** Lengths of dashes and gaps in pixels. */
  readonly dash: readonly number[];
  readonly cap?: CanvasLineCap;
}

/** Narrower charts have the names of their levels inside, pixels. */
const widthForGutter = 640;
/** Least distance of two names, pixels. */
const labelGap = 15;

const hasGutter = (u: uPlot): boolean => u.width >= widthForGutter;

const labelFont = (): string => `11px ${themeColor('--vscode-font-family', 'sans-serif')}`;

/** Where a chart is drawn; it takes keys. */
export const chartStage = (label: string, className = ''): HTMLElement =>
  element('div', {
    class: `chart-stage ${className}`.trim(),
    attributes: {
      tabindex: 0,
      role: 'application',
      'aria-roledescription': t('chart'),
      'aria-label': label,
    },
  });

/** Keeps a plot as wide as its stage; `make` is called when it is seen for the first time. */
export function followWidth(
  stage: HTMLElement,
  height: number,
  plot: () => uPlot | undefined,
  make: () => void,
): void {
  new ResizeObserver(() => {
    if (stage.clientWidth === 0) return;
    const drawn = plot();
    if (drawn === undefined) make();
    else drawn.setSize({ width: stage.clientWidth, height });
  }).observe(stage);
}

/** What all axes share. */
export const plainAxis = (): uPlot.Axis => ({
  stroke: themeColor('--vscode-foreground', '#cccccc'),
  font: labelFont(),
  grid: { stroke: 'rgba(128, 128, 128, 0.2)', width: 1 },
  ticks: { show: false },
});

/** Room for the title of an axis, pixels, and its look. */
const axisTitle = (): uPlot.Axis => ({ labelSize: 18, labelFont: labelFont() });

/** The title of the axis of the loss; the unit is known with the first held-out score. */
function lossTitle(unit: LossUnit | undefined): string {
  if (unit === undefined) return t('Loss');
  return t('Loss ({0})', { nats: t('nats'), 'mean squared error': t('mean squared error') }[unit]);
}

/** The horizontal axis, which `values` writes the numbers of, and the axis of the loss. */
export const chartAxes = (
  logarithmic: boolean,
  lossUnit: LossUnit | undefined,
  horizontal: uPlot.Axis,
): uPlot.Axis[] => [
  { ...plainAxis(), ...axisTitle(), size: 30, grid: { show: false }, ...horizontal },
  {
    ...plainAxis(),
    ...axisTitle(),
    label: lossTitle(lossUnit),
    size: 52,
    splits: (u, _, low, high) => lossTicks(low, high, u.height / 50, logarithmic),
    filter: (_, splits) => splits,
    values: (_, ticks) => ticks.map(formatTick),
  },
];

/** The scale of the loss: all of `losses` has room on it. */
export const lossScale = (logarithmic: boolean, losses: () => readonly number[]): uPlot.Scale => ({
  distr: logarithmic ? 3 : 1,
  range: () => [...lossRange(losses(), logarithmic)],
});

/** Room for the names beside the chart, where there is enough for both; pixels. */
export function levelGutter(u: uPlot, texts: readonly string[], least: number): number {
  if (!hasGutter(u) || texts.length === 0) return least;
  u.ctx.font = labelFont();
  return Math.max(...texts.map(text => u.ctx.measureText(text).width)) + 18;
}

/** Draws levels with their names: beside the chart, or `inside` pixels below their lines. */
export function drawLevels(u: uPlot, levels: readonly DrawnLevel[], inside: number): void {
  const { ctx } = u;
  const density = devicePixelRatio;
  ctx.save();
  ctx.scale(density, density);
  const left = u.bbox.left / density;
  const right = left + u.bbox.width / density;
  const beside = hasGutter(u);
  const heights = levels.map(({ loss }) => u.valToPos(loss, 'y', true) / density);
  const wanted = heights.map(y => (beside ? y : y + inside));
  const labels = spreadLabels(wanted, labelGap).map(y => Math.max(8, y));
  ctx.font = labelFont();
  ctx.textAlign = beside ? 'left' : 'right';
  ctx.textBaseline = 'middle';
  ctx.lineWidth = 2;
  levels.forEach(({ text, color, dash, cap = 'butt' }, index) => {
    const [y, labelY] = [heights[index]!, labels[index]!];
    ctx.strokeStyle = color;
    ctx.lineCap = cap;
    ctx.setLineDash([...dash]);
    ctx.beginPath();
    ctx.moveTo(left, y);
    ctx.lineTo(right, y);
    if (beside) ctx.lineTo(right + 7, labelY);
    ctx.stroke();
    if (!beside) {
      const wide = ctx.measureText(text).width;
      ctx.globalAlpha = 0.85;
      ctx.fillStyle = themeColor('--vscode-editor-background', '#1e1e1e');
      ctx.fillRect(right - wide - 8, labelY - 7, wide + 8, 14);
      ctx.globalAlpha = 1;
    }
    ctx.fillStyle = themeColor('--vscode-foreground', '#cccccc');
    ctx.fillText(text, beside ? right + 11 : right - 4, labelY);
  });
  ctx.restore();
}
