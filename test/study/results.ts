// The tables of docs/results.md from reports of `ligo compare`:
//   node --import tsx test/study/results.ts out/compare-gpt2-both out/compare-vit-both
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { comparisonReport } from '../../src/protocol/comparisonSchemas';
import type { MethodSummary, Spread } from '../../src/protocol/comparison';

const percent = (share: number): string => (100 * share).toFixed(1);
const loss = (value: number): string => value.toFixed(3);
const spread = (value: Spread | undefined, show: (number: number) => string): string =>
  value ? `${show(value.mean)} (${show(value.least)} – ${show(value.most)})` : '–';

/** What was saved in FLOPs; where some seeds never reached scratch's end, how many did. */
const saved = ({ savings, reached, finished }: MethodSummary): string =>
  savings ? spread(savings.flops, percent) : `${reached} of ${finished} seeds reach it`;

const columns: readonly (readonly [string, (method: MethodSummary) => string])[] = [
  ['method', ({ method }) => `\`${method}\``],
  ['FLOPs saved, %', saved],
  ['by the paper’s count', ({ savings }) => spread(savings?.paperFlops, percent)],
  ['small model counted', ({ savings }) => spread(savings?.flopsWithSmall, percent)],
  ['loss at start', ({ start }) => (start ? loss(start.mean) : '–')],
  ['loss at end', ({ end }) => spread(end, loss)],
];

for (const folder of process.argv.slice(2)) {
  const text = readFileSync(join(folder, 'report.json'), 'utf8');
  const { methods, small } = comparisonReport.parse(JSON.parse(text));
  const made = methods.filter(({ finished }) => finished > 0);
  const counted = columns.filter(
    ([name]) => name !== 'small model counted' || made.some(m => m.savings?.flopsWithSmall),
  );
  const lines = [
    counted.map(([name]) => name),
    counted.map(() => '---'),
    ...made.map(method => counted.map(([, show]) => show(method))),
  ];
  process.stdout.write(`${folder} (small model ${small ? loss(small.loss) : 'not scored'})\n\n`);
  process.stdout.write(`${lines.map(cells => `| ${cells.join(' | ')} |`).join('\n')}\n\n`);
}
