// The tables of docs/results.md from reports of `ligo compare`:
//   node --import tsx test/study/results.ts out/compare-gpt2 out/compare-vit
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { comparisonReport } from '../../src/protocol/comparisonSchemas';
import type { Spread } from '../../src/protocol/comparison';

const percent = (share: number): string => (100 * share).toFixed(1);
const spread = (value: Spread | undefined, show: (number: number) => string): string =>
  value ? `${show(value.mean)} (${show(value.least)} – ${show(value.most)})` : '–';
const loss = (value: number): string => value.toFixed(3);

for (const folder of process.argv.slice(2)) {
  const text = readFileSync(join(folder, 'report.json'), 'utf8');
  const { methods, small } = comparisonReport.parse(JSON.parse(text));
  const rows = methods.map(({ method, savings, start, end }) => [
    `\`${method}\``,
    spread(savings?.flops, percent),
    spread(savings?.paperFlops, percent),
    spread(savings?.flopsWithSmall, percent),
    start ? loss(start.mean) : '–',
    spread(end, loss),
  ]);
  const head = ['method', 'FLOPs saved, %', 'by the paper’s count', 'small model counted'];
  const lines = [
    [...head, 'loss at start', 'loss at end'],
    ['---', '---', '---', '---', '---', '---'],
    ...rows,
  ];
  process.stdout.write(`${folder} (small model ${small ? loss(small.loss) : 'not scored'})\n\n`);
  process.stdout.write(`${lines.map(cells => `| ${cells.join(' | ')} |`).join('\n')}\n\n`);
}
