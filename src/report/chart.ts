import type { Unit } from '../format';
import type { LossUnit } from '../protocol/evaluation';
import type { CurveSample, Horizontal, MethodCurve } from './curves';
import { html, type Markup } from './markup';
import { lossText, shortText } from './quantities';
import { linearScale, quantile, spreadApart, ticks, type Scale } from './scales';

/** A level that curves are read against. */
export interface Level {
  readonly label: string;
  readonly loss: number;
  readonly kind: 'small' | 'scratch';
}

/** A picture of held-out loss against what was spent. */
export interface Chart {
  /** Distinguishes its ids from other charts'. */
  readonly id: string;
  readonly title: string;
  readonly curves: readonly MethodCurve[];
  readonly levels: readonly Level[];
  readonly horizontal: Horizontal;
  readonly unitOf: (largest: number) => Unit;
  readonly horizontalLabel: string;
  readonly lossUnit: LossUnit;
}

const size = { width: 1010, height: 440 };
/** On the right there is room for the longest title of a method with its loss. */
const margin = { top: 14, right: 270, bottom: 46, left: 54 };
const labelGap = 17;
/** Of all values, the share that the picture reaches up to: what starts far above is cut. */
const shownShare = 0.93;

/** The classes of the style that give a method's curve its look. */
export const lookOf = ({ look }: Pick<MethodCurve, 'look'>): string =>
  look ? `color-${look.color} dash-${look.dash}` : 'look-scratch';

/** The chart as a picture with a text alternative. */
export function lossChart(chart: Chart): Markup {
  const { id, title, curves, levels, horizontal } = chart;
  const right = size.width - margin.right;
  const bottom = size.height - margin.bottom;
  const largest = Math.max(...curves.flatMap(({ samples }) => samples.map(at => at[horizontal])));
  const unit = chart.unitOf(largest);
  const x = linearScale([0, largest], [margin.left, right]);
  const y = linearScale(verticalRange(chart), [bottom, margin.top]);
  return html`<svg
    viewBox="0 0 ${size.width} ${size.height}"
    role="img"
    aria-labelledby="${id}-title ${id}-text"
    class="chart"
  >
    <title id="${id}-title">${title}</title>
    <desc id="${id}-text">${describe(chart)}</desc>
    <clipPath id="${id}-clip">
      <rect
        x="${margin.left}"
        y="${margin.top}"
        width="${right - margin.left}"
        height="${bottom - margin.top}"
      />
    </clipPath>
    ${axes(chart, x, y, unit)}
    <g clip-path="url(#${id}-clip)">
      ${curves.map(curve => range(curve, horizontal, x, y))}${levels.map(level => levelLine(level, x, y))}${curves.map(curve => line(curve, horizontal, x, y, unit))}
    </g>
    ${endLabels(chart, x, y)}
  </svg>`;
}

function verticalRange({ curves, levels }: Chart): readonly [number, number] {
  const means = curves.flatMap(({ samples }) => samples.map(({ loss }) => loss.mean));
  const known = levels.map(({ loss }) => loss);
  const least = curves.flatMap(({ samples }) => samples.map(({ loss }) => loss.least));
  const low = Math.min(...least, ...known);
  const high = Math.max(quantile(means, shownShare), ...known);
  const room = (high - low || 1) * 0.05;
  return [low - room, high + room];
}

/** The same in words: where each curve starts and ends. */
function describe({ curves, levels, horizontalLabel, lossUnit }: Chart): string {
  const lines = curves.map(({ title, samples }) => {
    const [first, last] = [samples[0]!, samples.at(-1)!];
    return `${title} falls from ${lossText(first.loss.mean)} to ${lossText(last.loss.mean)}.`;
  });
  const known = levels.map(({ label, loss }) => `${label}: ${lossText(loss)}.`);
  return `Held-out loss in ${lossUnit} against ${horizontalLabel}. ${[...lines, ...known].join(' ')} The numbers are in the table below.`;
}

function axes({ horizontalLabel, lossUnit }: Chart, x: Scale, y: Scale, unit: Unit): Markup {
  const right = size.width - margin.right;
  const bottom = size.height - margin.bottom;
  const across = ticks(0, x.high / unit.size, 6).map(value => {
    const place = coordinate(x.place(value * unit.size));
    return html`<path class="grid" d="M${place} ${margin.top}V${bottom}" /><text
        class="tick"
        x="${place}"
        y="${bottom + 17}"
        text-anchor="middle"
        >${value}</text
      >`;
  });
  const up = ticks(y.low, y.high, 6).map(value => {
    const place = coordinate(y.place(value));
    return html`<path class="grid" d="M${margin.left} ${place}H${right}" /><text
        class="tick"
        x="${margin.left - 8}"
        y="${place + 4}"
        text-anchor="end"
        >${value}</text
      >`;
  });
  return html`<g
    >${across}${up}<path class="axis" d="M${margin.left} ${margin.top}V${bottom}H${right}" />
    <text class="label" x="${(margin.left + right) / 2}" y="${size.height - 8}" text-anchor="middle"
      >${horizontalLabel}, ${unit.name}</text
    >
    <text
      class="label"
      transform="translate(14 ${(margin.top + bottom) / 2}) rotate(-90)"
      text-anchor="middle"
      >held-out loss, ${lossUnit}</text
    ></g
  >`;
}

const coordinate = (value: number): number => Math.round(value * 10) / 10;

const point = (sample: CurveSample, horizontal: Horizontal, x: Scale, y: Scale, loss: number) =>
  `${coordinate(x.place(sample[horizontal]))} ${coordinate(y.place(loss))}`;

/** The range over seeds, where there is more than one. */
function range(curve: MethodCurve, horizontal: Horizontal, x: Scale, y: Scale): Markup | undefined {
  const { samples } = curve;
  if (samples.every(({ loss }) => loss.least === loss.most)) return undefined;
  const over = samples.map(sample => point(sample, horizontal, x, y, sample.loss.most));
  const under = samples.map(sample => point(sample, horizontal, x, y, sample.loss.least));
  return html`<path
    class="range ${lookOf(curve)}"
    d="M${[...over, ...under.reverse()].join('L')}Z"
  />`;
}

function line(curve: MethodCurve, horizontal: Horizontal, x: Scale, y: Scale, unit: Unit): Markup {
  const { samples, title } = curve;
  const path = samples.map(sample => point(sample, horizontal, x, y, sample.loss.mean)).join('L');
  const dots = samples.map(sample => {
    const spent = shortText(sample[horizontal] / unit.size);
    const words = `${title}, step ${sample.step}: ${lossText(sample.loss.mean)} after ${spent} ${unit.name}`;
    return html`<circle
      cx="${coordinate(x.place(sample[horizontal]))}"
      cy="${coordinate(y.place(sample.loss.mean))}"
      r="5"
      ><title>${words}</title></circle
    >`;
  });
  return html`<g class="curve ${lookOf(curve)}"><path d="M${path}" />${dots}</g>`;
}

const levelLine = ({ loss, kind }: Level, x: Scale, y: Scale): Markup =>
  html`<path
    class="level level-${kind}"
    d="M${x.place(x.low)} ${coordinate(y.place(loss))}H${x.place(x.high)}"
  />`;

/** What is named at the right, with the look of its line and where that ends. */
interface EndLabel {
  readonly text: string;
  readonly look: string;
  readonly end: readonly [number, number];
}

/** Names at the right, each as near to the end of its line as the others allow. */
function endLabels({ curves, levels, horizontal }: Chart, x: Scale, y: Scale): readonly Markup[] {
  const left = size.width - margin.right;
  const labels: readonly EndLabel[] = [
    ...curves.map(curve => {
      const { loss, ...spent } = curve.samples.at(-1)!;
      const end = [x.place(spent[horizontal]), y.place(loss.mean)] as const;
      return { text: `${curve.title} ${lossText(loss.mean)}`, look: lookOf(curve), end };
    }),
    ...levels.map(({ label, loss, kind }) => ({
      text: `${label} ${lossText(loss)}`,
      look: `level-${kind}`,
      end: [left, y.place(loss)] as const,
    })),
  ];
  const bottom = size.height - margin.bottom;
  const wanted = labels.map(({ end }) => end[1]);
  const placed = spreadApart(wanted, labelGap, [margin.top + 6, bottom - 2]);
  return labels.map(({ text, look, end }, index) => {
    const from = end.map(coordinate).join(' ');
    const place = coordinate(placed[index]!);
    return html`<g class="end ${look}"
      ><path class="leader" d="M${from}L${left + 10} ${place}H${left + 16}" /><path
        class="sample"
        d="M${left + 16} ${place}H${left + 40}"
      /><text x="${left + 45}" y="${place + 4}">${text}</text></g
    > `;
  });
}
