import uPlot from 'uplot';
import type { LossUnit } from '../../src/protocol/evaluation';
import { methodTitle } from '../../src/protocol/methodTitles';
import { announcer, element, oncePerFrame, setText } from '../shared/dom';
import { formatDuration, formatFlops, formatInteger, formatLoss } from '../shared/format';
import { t } from '../shared/strings';
import { onThemeChange, themeColor, themeKind } from '../shared/theme';
import {
  chartAxes,
  chartStage,
  drawLevels,
  followWidth,
  levelGutter,
  lossScale,
  type DrawnLevel,
} from './chartParts';
import {
  alignedColumns,
  nearestIndex,
  nearestPoint,
  type ComparedCurve,
  type Horizontal,
} from './comparedCurves';
import type { DrawnLook } from './drawnLooks';

/** What the chart shows. */
export interface ChartContent {
  readonly curves: readonly ComparedCurve[];
  readonly looks: ReadonlyMap<string, DrawnLook>;
  readonly smallLoss: number | undefined;
  readonly lossUnit: LossUnit | undefined;
  readonly horizontal: Horizontal;
  readonly logarithmic: boolean;
  /** There are curves, and a person has hidden them all. */
  readonly allHidden: boolean;
}

/** Held-out loss of every run, against what was spent. */
export interface ComparisonChart {
  readonly element: HTMLElement;
  update(content: ChartContent): void;
}

const height = 340;

/** What the horizontal axis tells. */
const spentTitle = (horizontal: Horizontal): string =>
  ({ step: t('Step'), flops: t('Computation'), seconds: t('Time') })[horizontal];

/** What was spent, in its unit. */
function formatSpent(horizontal: Horizontal, value: number): string {
  if (horizontal === 'flops') return formatFlops(value);
  return horizontal === 'seconds' ? formatDuration(value) : formatInteger(value);
}

/** What a chart of curves says. */
export interface ChartWords {
  /** What it is and how it is used, for those who cannot see it. */
  readonly label: string;
  readonly describe: (curve: ComparedCurve, point: ComparedCurve['points'][number]) => string;
  /** That a person has hidden all curves, and that there are none. */
  readonly allHidden: string;
  readonly none: string;
}

/** Of the methods of a comparison. */
const methodWords = (): ChartWords => ({
  label: t(
    'Held-out loss of each method. Left and right move along a curve, up and down change it.',
  ),
  describe: ({ run }, { step, loss, flops, seconds }) =>
    [
      t('{0}, seed {1}', methodTitle(run.method), run.seed),
      t('step {0}', formatInteger(step)),
      t('held-out loss {0}', formatLoss(loss)),
      formatFlops(flops),
      formatDuration(seconds),
    ].join(' · '),
  allHidden: t('All methods are hidden: choose one above.'),
  none: t('No model has been evaluated yet.'),
});

/** Makes the chart; `onThemed` is told when colours are to be chosen anew. */
export function createComparisonChart(
  onThemed: () => void,
  words = methodWords(),
): ComparisonChart {
  let content: ChartContent = {
    curves: [],
    looks: new Map(),
    smallLoss: undefined,
    lossUnit: undefined,
    horizontal: 'flops',
    logarithmic: false,
    allHidden: false,
  };
  /** What the plot was built for; data alone does not need another one. */
  let built = '';
  let plot: uPlot | undefined;
  /** The point that arrow keys moved to. */
  let chosen = { curve: 0, point: 0 };
  /** Somebody looks at a point. */
  let pointed = false;

  const readout = element('p', { class: 'number chart-readout', text: ' ' });
  const live = announcer();
  const stage = chartStage(words.label, 'comparison-stage');

  function read(text: string): void {
    pointed = true;
    setText(readout, text);
  }

  function describe(curve: number, point: number): string {
    const drawn = content.curves[curve]!;
    return words.describe(drawn, drawn.points[point]!);
  }

  const data = (): uPlot.AlignedData =>
    alignedColumns(content.curves, content.horizontal) as unknown as uPlot.AlignedData;

  const levels = (): DrawnLevel[] =>
    content.smallLoss === undefined
      ? []
      : [
          {
            loss: content.smallLoss,
            text: `${t('small model')} ${formatLoss(content.smallLoss)}`,
            color: themeColor('--vscode-foreground', '#cccccc'),
            dash: [0.5, 4.5],
            cap: 'round',
          },
        ];

  function options(): uPlot.Options {
    const { horizontal, logarithmic, curves, looks } = content;
    const texts = (): string[] => levels().map(({ text }) => text);
    const contrast = themeKind().startsWith('highContrast');
    return {
      width: Math.max(200, stage.clientWidth),
      height,
      // At least room for half a number of the axis.
      padding: [10, u => levelGutter(u, texts(), 32), 0, 0],
      legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { time: false, range: (_, low, high) => [low, high > low ? high : low + 1] },
        y: lossScale(logarithmic, () =>
          [...content.curves.flatMap(({ points }) => points), ...levels()].map(({ loss }) => loss),
        ),
      },
      axes: chartAxes(logarithmic, content.lossUnit, {
        label: spentTitle(horizontal),
        space: 90,
        values: (_, ticks) => ticks.map(tick => formatSpent(horizontal, tick)),
      }),
      series: [
        {},
        ...curves.map(({ run }): uPlot.Series => {
          const look = looks.get(run.method)!;
          return {
            stroke: look.color,
            width: contrast ? 3 : 2,
            dash: [...look.dash],
            spanGaps: true,
            // A curve that has only begun is a dot.
            points: { show: (_, index) => content.curves[index - 1]?.points.length === 1 },
          };
        }),
      ],
      hooks: {
        draw: [u => drawLevels(u, levels(), 9)],
        setCursor: [
          u => {
            const { left, top } = u.cursor;
            if (left === undefined || left < 0 || top === undefined) return;
            const at = { place: u.posToVal(left, 'x'), loss: u.posToVal(top, 'y') };
            const nearest = nearestPoint(content.curves, horizontal, at);
            if (nearest) read(describe(nearest.curve, nearest.point));
          },
        ],
      },
    };
  }

  const refresh = oncePerFrame(() => {
    if (stage.clientWidth === 0) return;
    const { horizontal, logarithmic, lossUnit, curves, looks } = content;
    const shape = JSON.stringify([
      ...[horizontal, logarithmic, lossUnit, themeKind(), [...looks]],
      curves.map(({ run }) => [run.method, run.seed]),
    ]);
    if (plot === undefined || shape !== built) {
      plot?.destroy();
      built = shape;
      plot = new uPlot(options(), data(), stage);
    } else plot.setData(data());
    const none = content.allHidden ? words.allHidden : words.none;
    if (curves.length === 0) setText(readout, none);
    else if (!pointed) setText(readout, t('Point at a curve to read it.'));
  });

  stage.addEventListener('keydown', event => {
    const { curves, horizontal } = content;
    const present = curves[Math.min(chosen.curve, curves.length - 1)];
    if (plot === undefined || present === undefined) return;
    const curve = curves.indexOf(present);
    const last = present.points.length - 1;
    const point = Math.min(chosen.point, last);
    const place = present.points[point]![horizontal];
    const beside = (by: number): typeof chosen => {
      const next = (curve + by + curves.length) % curves.length;
      return { curve: next, point: nearestIndex(curves[next]!.points, horizontal, place) };
    };
    const targets: Record<string, () => typeof chosen> = {
      ArrowLeft: () => ({ curve, point: Math.max(0, point - 1) }),
      ArrowRight: () => ({ curve, point: Math.min(last, point + 1) }),
      ArrowUp: () => beside(-1),
      ArrowDown: () => beside(1),
      Home: () => ({ curve, point: 0 }),
      End: () => ({ curve, point: last }),
    };
    const target = targets[event.key];
    if (target === undefined) return;
    event.preventDefault();
    chosen = target();
    const { points } = curves[chosen.curve]!;
    const at = points[chosen.point]!;
    plot.setCursor({
      left: plot.valToPos(at[horizontal], 'x'),
      top: plot.valToPos(at.loss, 'y'),
    });
    const text = describe(chosen.curve, chosen.point);
    read(text);
    live.say(text);
  });

  followWidth(stage, height, () => plot, refresh);
  onThemeChange(onThemed);

  return {
    element: element('div', { class: 'stack' }, stage, readout, live.element),
    update: next => {
      content = next;
      refresh();
    },
  };
}
