/** A size that was varied, and what it cost. */
export interface Curve {
  readonly name: string;
  readonly x: readonly number[];
  readonly seconds: readonly number[];
  readonly gigabytes: readonly number[];
}

const [panelWidth, panelHeight, margin] = [210, 150, 44];
/** Ink that is read on a light page as well as on a dark one. */
const [ink, line] = ['#7d8590', '#2f81f7'];

/** Draws time above memory, a panel for each size, all axes logarithmic; an SVG document. */
export function drawCurves(curves: readonly Curve[]): string {
  const time = curves.map(({ seconds }) => seconds.map(value => 1000 * value));
  const memory = curves.map(({ gigabytes }) => gigabytes);
  const panels = curves.flatMap(({ name, x }, column) => [
    panel(column, 0, x, time[column]!, time.flat(), 'ms a step', ''),
    panel(column, 1, x, memory[column]!, memory.flat(), 'GB', name),
  ]);
  const width = curves.length * panelWidth;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${2 * panelHeight}" width="${width}" role="img" font-family="sans-serif" font-size="10" fill="${ink}">
<title>Time and memory of a LiGO step against ${curves.map(({ name }) => name).join(', ')}</title>
${panels.join('\n')}
</svg>
`;
}

/** One curve with its points, in the value range that its row shares. */
function panel(
  column: number,
  row: number,
  x: readonly number[],
  y: readonly number[],
  range: readonly number[],
  unit: string,
  name: string,
): string {
  const [left, top] = [column * panelWidth + margin, row * panelHeight + 14];
  const [right, bottom] = [(column + 1) * panelWidth - 12, (row + 1) * panelHeight - 32];
  const place = (value: number, values: readonly number[], from: number, to: number): number => {
    const [low, high] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))];
    return Number((from + ((Math.log(value) - low) / (high - low)) * (to - from)).toFixed(1));
  };
  const points = x.map((value, index): [number, number] => [
    place(value, x, left + 8, right - 8),
    place(y[index]!, range, bottom - 4, top + 4),
  ]);
  const short = (value: number): string => String(Number(value.toPrecision(2)));
  return [
    `<path d="M${left} ${top}V${bottom}H${right}" fill="none" stroke="${ink}"/>`,
    `<polyline points="${points.join(' ')}" fill="none" stroke="${line}" stroke-width="2"/>`,
    ...points.flatMap(([px, py], index) => [
      `<circle cx="${px}" cy="${py}" r="2.5" fill="${line}"/>`,
      `<text x="${px}" y="${bottom + 12}" text-anchor="middle">${x[index]!}</text>`,
    ]),
    ...[Math.min(...range), Math.max(...range)].map(
      value =>
        `<text x="${left - 4}" y="${place(value, range, bottom - 4, top + 4) + 3}" text-anchor="end">${short(value)}</text>`,
    ),
    `<text x="${left}" y="${top - 4}">${unit}</text>`,
    `<text x="${(left + right) / 2}" y="${bottom + 26}" text-anchor="middle">${name}</text>`,
  ].join('\n');
}
