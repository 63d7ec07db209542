import uPlot from 'uplot';
import { lossUnitOf, type LossUnit } from '../../src/protocol/evaluation';
import { announcer, element, oncePerFrame, setText, type View } from '../shared/dom';
import { formatInteger, formatLoss, formatRate } from '../shared/format';
import { createSlider } from '../shared/slider';
import { t } from '../shared/strings';
import { onThemeChange, themeColor } from '../shared/theme';
import { checkbox } from '../shared/ui/components';
import * as frame from './chartFrame';
import * as parts from './chartParts';
import { curveRows, type CurveRow } from './curveRows';
import type { PageRun } from './runState';
import { lastPosition, positionAt, smooth, windowFor } from './smoothing';

/** What a person chose for the chart. */
export interface ChartChoices {
  readonly logarithmic: boolean;
  /** 0…1. */
  readonly smoothing: number;
}

/** The curve of the loss. */
export interface LossChart {
  readonly element: HTMLElement;
  update(run: PageRun): void;
  /** The chart as it is drawn, on the page's background. */
  picture(): HTMLCanvasElement | undefined;
}

const height = 280;
/** Points of a curve that are drawn as dots, at most. */
const mostDots = 60;
const levelDash: Record<frame.Level['model'], number[]> = {
  small: [3, 3],
  before: [8, 5],
  after: [1, 2],
};
const levelColor: Record<frame.Level['model'], readonly [string, string]> = {
  small: ['--vscode-charts-yellow', '#cca700'],
  before: ['--vscode-charts-purple', '#b180d7'],
  after: ['--vscode-charts-green', '#89d185'],
};

/** Names the curves, where there is more than one. */
function curveLegend(): View<boolean> {
  const item = (className: string, text: string): HTMLElement =>
    element('li', { class: 'row' }, element('span', { class: `curve-sign ${className}` }), text);
  const list = element(
    'ul',
    { class: 'curve-legend', attributes: { 'aria-label': t('Curves') } },
    item('batch', t('Batch loss')),
    item('held-out', t('Held-out loss')),
  );
  return { element: list, update: shown => (list.hidden = !shown) };
}

/** Makes the chart. */
export function createLossChart(
  choices: ChartChoices,
  remember: (choices: ChartChoices) => void,
  title = t('Batch loss'),
): LossChart {
  let { logarithmic, smoothing } = choices;
  let rows: readonly CurveRow[] = [];
  let steps: readonly number[] = [];
  let losses: readonly number[] = [];
  /** Held-out losses are a curve of their own. */
  let isTraining = false;
  let levels: readonly frame.Level[] = [];
  let lossUnit: LossUnit | undefined;
  let plot: uPlot | undefined;

  const legend = curveLegend();
  const readout = element('p', { class: 'number chart-readout', text: ' ' });
  const live = announcer();
  const table = element('table');
  const stage = parts.chartStage(t('{0} by step. Arrow keys move along the curve.', title));
  const windowText = element('span', { class: 'quiet number smoothing-window' });
  const slider = createSlider(t('Smoothing'), 'smoothing-slider', 0, 0, position => {
    smoothing = position / lastPosition(losses.length);
    remember({ logarithmic, smoothing });
    refresh();
  });
  const smoothingLabel = element(
    'label',
    { class: 'row' },
    t('Smoothing'),
    slider.element,
    windowText,
  );
  const root = element(
    'section',
    { class: 'card', attributes: { 'aria-labelledby': 'chart-title' } },
    element(
      'div',
      { class: 'row' },
      element('h2', { class: 'grow', text: title, attributes: { id: 'chart-title' } }),
      smoothingLabel,
      checkbox(t('Log scale'), logarithmic, checked => {
        logarithmic = checked;
        remember({ logarithmic, smoothing });
        rebuild();
      }),
    ),
    legend.element,
    stage,
    readout,
    element('div', { class: 'visually-hidden' }, table),
    live.element,
  );

  const window = (): number => windowFor(positionAt(smoothing, losses.length), losses.length);

  /** Longer curves have more positions. */
  function fitSlider(): void {
    const last = lastPosition(losses.length);
    smoothingLabel.hidden = last === 0;
    if (slider.element.max === String(last)) return;
    slider.setMaximum(last);
    slider.set(positionAt(smoothing, losses.length));
  }

  function data(): uPlot.AlignedData {
    const width = window();
    const usable = losses.map(loss =>
      Number.isFinite(loss) && (!logarithmic || loss > 0) ? loss : NaN,
    );
    const { mean, low, high } = smooth(usable, width);
    const raw = usable.map(loss => (Number.isNaN(loss) ? null : loss));
    const heldOut = rows.map(({ heldOut: loss }) =>
      Number.isFinite(loss) && (!logarithmic || loss > 0) ? loss : null,
    );
    const curves = [high, low, raw, width > 1 ? mean : raw.map(() => null)];
    return [[...steps], ...curves, ...(isTraining ? [heldOut] : [])];
  }

  function describe(index: number): string {
    const row = rows[index];
    if (row === undefined) return ' ';
    const { step, loss, heldOut, rate } = row;
    const calm = window() > 1 ? smooth(losses, window()).mean[index] : undefined;
    // Before the first step a model is evaluated, and there is no batch.
    const hasBatch = !isTraining || !Number.isNaN(loss) || Number.isNaN(heldOut);
    return [
      t('step {0}', formatInteger(step)),
      ...(hasBatch ? [t('batch loss {0}', formatLoss(loss))] : []),
      ...(calm === undefined || calm === null ? [] : [t('smoothed {0}', formatLoss(calm))]),
      ...(Number.isNaN(heldOut) ? [] : [t('held-out loss {0}', formatLoss(heldOut))]),
      ...(!isTraining || Number.isNaN(rate) ? [] : [t('learning rate {0}', formatRate(rate))]),
    ].join(' · ');
  }

  const drawnLevels = (): parts.DrawnLevel[] =>
    levels.map(({ model, loss }) => ({
      loss,
      text: `${frame.levelName(model)} ${formatLoss(loss)}`,
      color: themeColor(...levelColor[model]),
      dash: levelDash[model],
    }));

  function options(): uPlot.Options {
    const accent = themeColor('--vscode-charts-blue', '#3794ff');
    const texts = (): string[] => drawnLevels().map(({ text }) => text);
    return {
      width: Math.max(200, stage.clientWidth),
      height,
      padding: [10, u => parts.levelGutter(u, texts(), 14), 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, y: false },
      scales: {
        x: { time: false },
        y: parts.lossScale(logarithmic, () => [
          ...losses,
          ...rows.map(({ heldOut }) => heldOut),
          ...levels.map(({ loss }) => loss),
        ]),
      },
      axes: parts.chartAxes(logarithmic, lossUnit, {
        label: t('Step'),
        values: (_, ticks) =>
          ticks.map(tick => (Number.isInteger(tick) ? formatInteger(tick) : '')),
      }),
      series: [
        {},
        { stroke: 'transparent', points: { show: false } },
        { stroke: 'transparent', points: { show: false } },
        {
          stroke: accent,
          width: window() > 1 ? 1 : 2,
          alpha: window() > 1 ? 0.35 : 1,
          points: { show: losses.length < 3 },
        },
        { stroke: accent, width: 2.5, points: { show: false } },
        ...(isTraining ? [heldOutSeries()] : []),
      ],
      bands: [{ series: [1, 2], fill: `color-mix(in srgb, ${accent} 16%, transparent)` }],
      hooks: {
        draw: [u => parts.drawLevels(u, drawnLevels(), -9)],
        setCursor: [
          u => {
            setText(
              readout,
              u.cursor.idx === null || u.cursor.idx === undefined
                ? latest()
                : describe(u.cursor.idx),
            );
          },
        ],
      },
    };
  }

  const heldOutSeries = (): uPlot.Series => {
    const color = themeColor(...levelColor.after);
    return {
      stroke: color,
      width: 2,
      spanGaps: true,
      points: {
        show: rows.filter(({ heldOut }) => !Number.isNaN(heldOut)).length <= mostDots,
        size: 6,
        stroke: color,
        fill: color,
      },
    };
  };

  const latest = (): string =>
    losses.length === 0 ? t('No step has been made yet.') : describe(losses.length - 1);

  const rebuild = oncePerFrame(() => {
    plot?.destroy();
    plot = undefined;
    if (stage.clientWidth === 0) return;
    plot = new uPlot(options(), data(), stage);
    refresh();
  });

  const refresh = oncePerFrame(() => {
    const width = window();
    setText(windowText, width > 1 ? t('{0} steps', width) : t('off'));
    const raw = plot?.series[3];
    if (raw !== undefined) {
      raw.alpha = width > 1 ? 0.35 : 1;
      raw.width = width > 1 ? 1 : 2;
    }
    plot?.setData(data());
    if (plot?.cursor.idx === undefined || plot.cursor.idx === null) setText(readout, latest());
    fillTable();
  });

  function fillTable(): void {
    const row = (tag: 'th' | 'td', ...cells: string[]): HTMLElement =>
      element('tr', {}, ...cells.map(text => element(tag, { text })));
    const orNothing = (value: number, format: (value: number) => string): string =>
      Number.isNaN(value) ? '' : format(value);
    const cells = ({ step, loss, heldOut, rate }: CurveRow): string[] =>
      isTraining
        ? [
            formatInteger(step),
            orNothing(loss, formatLoss),
            orNothing(heldOut, formatLoss),
            orNothing(rate, formatRate),
          ]
        : [formatInteger(step), formatLoss(loss)];
    const sampled = new Set(frame.sampledIndices(rows.length, 50));
    const evaluated = rows.filter(({ heldOut }) => !Number.isNaN(heldOut)).length;
    const shown = rows.filter(
      ({ heldOut }, index) =>
        sampled.has(index) || (evaluated <= mostDots && !Number.isNaN(heldOut)),
    );
    const more = isTraining ? [t('Held-out loss'), t('Learning rate')] : [];
    table.replaceChildren(
      element('caption', { text: isTraining ? t('Loss by step') : t('Batch loss by step') }),
      element('thead', {}, row('th', t('Step'), t('Batch loss'), ...more)),
      element(
        'tbody',
        {},
        ...shown.map(each => row('td', ...cells(each))),
        ...levels.map(({ model, loss }) => row('td', frame.levelName(model), formatLoss(loss))),
      ),
    );
  }

  stage.addEventListener('keydown', event => {
    if (plot === undefined || losses.length === 0) return;
    const last = losses.length - 1;
    const at = plot.cursor.idx ?? last;
    const jump = event.shiftKey ? 10 : 1;
    const targets: Record<string, number> = {
      ArrowLeft: at - jump,
      ArrowRight: at + jump,
      Home: 0,
      End: last,
    };
    const wanted = targets[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    const index = Math.max(0, Math.min(last, wanted));
    const left = plot.valToPos(steps[index] ?? 0, 'x');
    const { loss = 0, heldOut = 0 } = rows[index] ?? {};
    plot.setCursor({ left, top: plot.valToPos(Number.isNaN(loss) ? heldOut : loss, 'y') });
    setText(readout, describe(index));
    live.say(describe(index));
  });

  parts.followWidth(stage, height, () => plot, rebuild);
  onThemeChange(rebuild);

  return {
    element: root,
    update: run => {
      const [dense, unit] = [losses.length >= 3, lossUnit];
      isTraining = run.summary.kind === 'train';
      rows = curveRows({ ...run, isTraining });
      steps = rows.map(({ step }) => step);
      losses = rows.map(({ loss }) => loss);
      levels = isTraining ? [] : frame.levelsOf(run.evaluations);
      legend.update(isTraining);
      const [scored] = run.evaluations;
      lossUnit = scored && lossUnitOf(scored);
      fitSlider();
      if (dense !== losses.length >= 3 || unit !== lossUnit) rebuild();
      else refresh();
    },
    picture: () => {
      if (plot === undefined) return undefined;
      const { canvas } = plot.ctx;
      const copy = document.createElement('canvas');
      copy.width = canvas.width;
      copy.height = canvas.height;
      const context = copy.getContext('2d');
      if (context === null) return undefined;
      context.fillStyle = themeColor('--vscode-editor-background', '#1e1e1e');
      context.fillRect(0, 0, copy.width, copy.height);
      context.drawImage(canvas, 0, 0);
      return copy;
    },
  };
}
