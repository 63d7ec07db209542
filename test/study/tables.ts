// Prints the lines of out/study/<stage>.jsonl as Markdown tables:
//   node --import tsx test/study/tables.ts rates variants norms final axes
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface Line {
  readonly example: string;
  readonly label: string;
  readonly seed: number;
  readonly small: number;
  readonly before: number;
  readonly after?: number;
  readonly accuracy: number;
}

function linesOf(stage: string): Line[] {
  const path = fileURLToPath(new URL(`../../out/study/${stage}.jsonl`, import.meta.url));
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Line);
}

const loss = (value: number | undefined): string => value?.toFixed(4) ?? 'diverged';

/** One seed: the loss. Several: the mean and every seed. */
function cell(lines: readonly Line[]): string {
  const losses = lines.map(({ after }) => after);
  if (losses.length === 0) return '';
  if (losses.length === 1) return loss(losses[0]);
  const known = losses.filter(value => value !== undefined);
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  return `${loss(mean)} (${losses.map(loss).join(', ')})`;
}

for (const stage of process.argv.slice(2)) {
  const lines = linesOf(stage);
  const names = [...new Set(lines.map(({ example }) => example))];
  const labels = [...new Set(lines.map(({ label }) => label))];
  const small = names.map(name => loss(lines.find(({ example }) => example === name)?.small));
  const rows = [
    ['setting', ...names],
    ['---', ...names.map(() => '---')],
    ['the small model', ...small],
    ...labels.map(label => [
      label,
      ...names.map(name =>
        cell(lines.filter(line => line.example === name && line.label === label)),
      ),
    ]),
  ];
  process.stdout.write(
    `\n## ${stage}\n\n${rows.map(row => `| ${row.join(' | ')} |`).join('\n')}\n`,
  );
}
