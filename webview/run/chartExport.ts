import { escapeXml } from '../heatmap/exportText';
import { lossRange, lossTicks } from './chartFrame';

/** A named held-out loss. */
interface NamedLevel {
  readonly name: string;
  readonly loss: number;
}

/** The curve as comma-separated values: kind, step, loss. Evaluations have no step of the curve. */
export function curveCsv(
  steps: readonly number[],
  losses: readonly number[],
  levels: readonly NamedLevel[],
): string {
  const quoted = (text: string): string =>
    /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  return [
    'series,step,loss',
    ...steps.map((step, index) => `training,${step},${losses[index] ?? ''}`),
    ...levels.map(({ name, loss }) => `${quoted(name)},,${loss}`),
    '',
  ].join('\n');
}

const width = 800;
const height = 400;
const plot = { left: 60, top: 46, right: 780, bottom: 360 };

/** The curve as a figure on white, for papers. */
export function curveSvg(
  title: string,
  steps: readonly number[],
  losses: readonly number[],
  levels: readonly NamedLevel[],
): string {
  const [low, high] = lossRange([...losses, ...levels.map(({ loss }) => loss)], false);
  const first = steps[0] ?? 0;
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
    '</svg>\n',
  ].join('\n');
}
