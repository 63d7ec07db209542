import uPlot from 'uplot';
import { lossUnitOf, type LossUnit } from '../../src/protocol/evaluation';
import { announcer, element, oncePerFrame, setText } from '../shared/dom';
import { formatInteger, formatLoss } from '../shared/format';
import { createSlider } from '../shared/slider';
import { t } from '../shared/strings';
import { onThemeChange, themeColor } from '../shared/theme';
import { checkbox } from '../shared/ui/components';
import * as frame from './chartFrame';
import * as parts from './chartParts';
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

/** Makes the chart. */
export function createLossChart(
  choices: ChartChoices,
  remember: (choices: ChartChoices) => void,
): LossChart {
  let { logarithmic, smoothing } = choices;
  let steps: readonly number[] = [];
  let losses: readonly number[] = [];
  let levels: readonly frame.Level[] = [];
  let lossUnit: LossUnit | undefined;
  let plot: uPlot | undefined;

  const readout = element('p', { class: 'number chart-readout', text: ' ' });
  const live = announcer();
  const table = element('table');
  const stage = parts.chartStage(t('Batch loss by step. Arrow keys move along the curve.'));
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
      element('h2', { class: 'grow', text: t('Batch loss'), attributes: { id: 'chart-title' } }),
      smoothingLabel,
      checkbox(t('Log scale'), logarithmic, checked => {
        logarithmic = checked;
        remember({ logarithmic, smoothing });
        rebuild();
      }),
    ),
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
    return [[...steps], high, low, raw, width > 1 ? mean : raw.map(() => null)];
  }

  function describe(index: number): string {
    const loss = losses[index];
    const step = steps[index];
    if (loss === undefined || step === undefined) return ' ';
    const calm = window() > 1 ? smooth(losses, window()).mean[index] : undefined;
    return [
      t('step {0}', formatInteger(step)),
      t('batch loss {0}', formatLoss(loss)),
      ...(calm === undefined || calm === null ? [] : [t('smoothed {0}', formatLoss(calm))]),
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
        y: parts.lossScale(logarithmic, () => [...losses, ...levels.map(({ loss }) => loss)]),
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
    table.replaceChildren(
      element('caption', { text: t('Batch loss by step') }),
      element('thead', {}, row('th', t('Step'), t('Batch loss'))),
      element(
        'tbody',
        {},
        ...frame
          .sampledIndices(losses.length, 50)
          .map(index =>
            row('td', formatInteger(steps[index] ?? 0), formatLoss(losses[index] ?? NaN)),
          ),
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
    plot.setCursor({ left, top: plot.valToPos(losses[index] ?? 0, 'y') });
    setText(readout, describe(index));
    live.say(describe(index));
  });

  parts.followWidth(stage, height, () => plot, rebuild);
  onThemeChange(rebuild);

  return {
    element: root,
    update: run => {
      const [dense, unit] = [losses.length >= 3, lossUnit];
      ({ steps, losses } = run.curve);
      levels = frame.levelsOf(run.evaluations);
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
