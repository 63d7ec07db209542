import { escapeXml } from '../heatmap/exportText';
import { t } from '../shared/strings';
import { lossRange, lossTicks } from './chartFrame';

/** A named held-out loss. */
interface NamedLevel {
  readonly name: string;
  readonly loss: number;
}

/** A named curve beside that of the batches. */
export interface NamedCurve {
  readonly name: string;
  readonly points: readonly { readonly step: number; readonly value: number }[];
}

/** The curve as comma-separated values: kind, step, loss. Evaluations have no step of the curve. */
export function curveCsv(
  steps: readonly number[],
  losses: readonly number[],
  levels: readonly NamedLevel[],
  others: readonly NamedCurve[] = [],
): string {
  const quoted = (text: string): string =>
    /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  return [
    'series,step,loss',
    ...steps.map((step, index) => `training,${step},${losses[index] ?? ''}`),
    ...others.flatMap(({ name, points }) =>
      points.map(({ step, value }) => `${quoted(name)},${step},${value}`),
    ),
    ...levels.map(({ name, loss }) => `${quoted(name)},,${loss}`),
    '',
  ].join('\n');
}

/** Colours of other curves on white. */
const otherColors = ['#1b7837', '#b35806', '#762a83'] as const;
const otherColor = (index: number): string => otherColors[index % otherColors.length]!;

const width = 800;
const height = 400;
const plot = { left: 60, top: 46, right: 780, bottom: 360 };

/** The curve as a figure on white, for papers. */
export function curveSvg(
  title: string,
  steps: readonly number[],
  losses: readonly number[],
  levels: readonly NamedLevel[],
  others: readonly NamedCurve[] = [],
): string {
  const otherPoints = others.flatMap(({ points }) => points);
  const [low, high] = lossRange(
    [...losses, ...levels.map(({ loss }) => loss), ...otherPoints.map(({ value }) => value)],
    false,
  );
  const first = Math.min(steps[0] ?? 0, ...otherPoints.map(({ step }) => step));
  const span = (steps.at(-1) ?? 1) - first || 1;
  const x = (step: number): number =>
    plot.left + ((step - first) / span) * (plot.right - plot.left);
  const y = (loss: number): number =>
    plot.bottom - ((loss - low) / (high - low)) * (plot.bottom - plot.top);
  const points = steps.flatMap((step, index) => {
    const loss = losses[index];
    return loss === undefined || !Number.isFinite(loss)
      ? []
      : [`${x(step).toFixed(2)},${y(loss).toFixed(2)}`];
  });
  const text = (left: number, top: number, anchor: string, content: string, size = 12): string =>
    `<text x="${left}" y="${top.toFixed(1)}" text-anchor="${anchor}" font-size="${size}" fill="#222222">${escapeXml(content)}</text>`;
  const dashes = ['2 4', '8 5', '1 3'];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">`,
    `<title>${escapeXml(title)}</title>`,
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    text(plot.left, 26, 'start', title, 15),
    ...lossTicks(low, high, 6, false).map(
      tick =>
        `<line x1="${plot.left}" x2="${plot.right}" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}" stroke="#dddddd"/>` +
        text(plot.left - 8, y(tick) + 4, 'end', String(tick)),
    ),
    text(plot.left, plot.bottom + 22, 'start', String(first)),
    text(plot.right, plot.bottom + 22, 'end', String(steps.at(-1) ?? '')),
    ...levels.map(
      ({ name, loss }, index) =>
        `<line x1="${plot.left}" x2="${plot.right}" y1="${y(loss).toFixed(1)}" y2="${y(loss).toFixed(1)}" stroke="#777777" stroke-width="1.5" stroke-dasharray="${dashes[index % dashes.length]}"/>` +
        text(plot.right - 4, y(loss) - 5, 'end', `${name} ${loss.toFixed(3)}`),
    ),
    `<polyline points="${points.join(' ')}" fill="none" stroke="#2166ac" stroke-width="2"/>`,
    ...others.map(
      ({ points: own }, index) =>
        `<polyline points="${own.map(({ step, value }) => `${x(step).toFixed(2)},${y(value).toFixed(2)}`).join(' ')}" fill="none" stroke="${otherColor(index)}" stroke-width="2"/>`,
    ),
    ...(others.length === 0 ? [] : [{ name: t('Batch loss'), color: '#2166ac' }])
      .concat(others.map(({ name }, index) => ({ name, color: otherColor(index) })))
      .map(
        ({ name, color }, index) =>
          `<line x1="${plot.right - 150}" x2="${plot.right - 126}" y1="${22 + index * 16}" y2="${22 + index * 16}" stroke="${color}" stroke-width="2"/>` +
          text(plot.right - 120, 26 + index * 16, 'start', name),
      ),
    '</svg>\n',
  ].join('\n');
}
