import uPlot from 'uplot';
import type { RunCurve } from '../../src/protocol/messages';
import { element, oncePerFrame, type View } from '../shared/dom';
import { formatInteger, formatRate } from '../shared/format';
import { t } from '../shared/strings';
import { onThemeChange, themeColor } from '../shared/theme';
import { followWidth, plainAxis } from './chartParts';

const height = 110;

/** The learning rate by step, small, below the loss: its numbers are read with those of the loss. */
export function createRateChart(): View<RunCurve> {
  let curve: RunCurve = { steps: [], losses: [] };
  let plot: uPlot | undefined;
  const stage = element('div', { class: 'rate-stage', attributes: { role: 'img' } });
  const root = element(
    'section',
    { class: 'card', attributes: { 'aria-labelledby': 'rate-title' } },
    element('h2', { text: t('Learning rate'), attributes: { id: 'rate-title' } }),
    stage,
  );

  const data = (): uPlot.AlignedData => [
    [...curve.steps],
    (curve.rates ?? []).map(rate => (Number.isFinite(rate) ? rate : null)),
  ];

  const options = (): uPlot.Options => ({
    width: Math.max(200, stage.clientWidth),
    height,
    padding: [8, 14, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      // As the chart of the loss, which begins before the first step.
      x: { time: false, range: (_, _low, high) => [0, high > 0 ? high : 1] },
      y: { range: (_, _low, high) => [0, high > 0 ? high * 1.08 : 1] },
    },
    axes: [
      {
        ...plainAxis(),
        size: 26,
        grid: { show: false },
        values: (_, ticks) =>
          ticks.map(tick => (Number.isInteger(tick) ? formatInteger(tick) : '')),
      },
      {
        ...plainAxis(),
        size: 70,
        space: 26,
        values: (_, ticks) => ticks.map(formatRate),
      },
    ],
    series: [
      {},
      {
        stroke: themeColor('--vscode-charts-purple', '#b180d7'),
        width: 2,
        points: { show: false },
      },
    ],
  });

  const rebuild = oncePerFrame(() => {
    plot?.destroy();
    plot = undefined;
    if (stage.clientWidth === 0) return;
    plot = new uPlot(options(), data(), stage);
  });

  followWidth(stage, height, () => plot, rebuild);
  onThemeChange(rebuild);
  return {
    element: root,
    update: next => {
      curve = next;
      const { rates = [] } = next;
      root.hidden = rates.length === 0;
      const [first = NaN, last = NaN] = [rates[0], rates.at(-1)];
      const most = rates.reduce((highest, rate) => (rate > highest ? rate : highest), 0);
      stage.setAttribute(
        'aria-label',
        t(
          'Learning rate: {0} at first, at most {1}, now {2}',
          ...[first, most, last].map(formatRate),
        ),
      );
      if (plot) plot.setData(data());
      else rebuild();
    },
  };
}
