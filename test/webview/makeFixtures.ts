// Records what the pages are shown in tests: node --import tsx test/webview/makeFixtures.ts
// (after npm run build). A real growth, its numbers shortened to keep the file small.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { RunEvent } from '../../src/protocol/events';
import type { TensorStatistics } from '../../src/protocol/messages';

const root = new URL('../../', import.meta.url).pathname;
const fixtures = join(root, 'test/fixtures/webview');
const keptSnapshots = [1, 7, 14, 20];

const cli = (...parameters: string[]): string =>
  execFileSync(process.execPath, ['dist/cli.js', ...parameters], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });

const shorten = (value: number): number => Number(value.toPrecision(3));

function recordGrowth(): void {
  const folder = mkdtempSync(join(tmpdir(), 'ligo-fixture-'));
  const lines = cli(
    ...['grow', 'examples/bert-kjv', '--layers', '6', '--hidden', '96'],
    ...['--data', 'examples/kjv.txt', '--steps', '20', '--json', '--out', join(folder, 'grown')],
  )
    .trim()
    .split('\n');
  rmSync(folder, { recursive: true });
  const kept = lines.flatMap((line): RunEvent[] => {
    const event = JSON.parse(line) as RunEvent;
    if (event.type === 'done') return [{ ...event, out: 'bert-kjv-6x96' }];
    if (event.type !== 'operators') return [event];
    if (!keptSnapshots.includes(event.step)) return [];
    const operators = event.operators.map(operator => ({
      ...operator,
      values: operator.values.map(shorten),
    }));
    return [{ ...event, operators }];
  });
  const text = kept.map(event => JSON.stringify(event)).join('\n');
  writeFileSync(join(fixtures, 'growth.jsonl.gz'), gzipSync(text, { level: 9 }));
}

/** A comparison on the GPT-2 example, with a method that fails there. */
function recordComparison(): void {
  const folder = mkdtempSync(join(tmpdir(), 'ligo-fixture-'));
  const lines = cli(
    ...['compare', 'examples/gpt2-kjv', '--layers', '7', '--hidden', '96'],
    ...['--data', 'examples/kjv.txt', '--batch', '4', '--sequence-length', '32'],
    ...['--methods', 'ligo,stack,bert2bert,net2net,lemon,mslt', '--steps', '200'],
    ...['--evaluate-every', '10', '--growth-steps', '20', '--eval-batches', '4'],
    ...['--json', '--out', join(folder, 'compared')],
  )
    .trim()
    .split('\n');
  rmSync(folder, { recursive: true });
  const kept = lines.flatMap((line): RunEvent[] => {
    const event = JSON.parse(line) as RunEvent;
    if (event.type === 'done') return [{ ...event, out: 'gpt2-kjv-compared-7x96' }];
    return event.type === 'comparison' || event.type === 'comparisonRun' ? [event] : [];
  });
  const text = kept.map(event => JSON.stringify(event)).join('\n');
  writeFileSync(join(fixtures, 'comparison.jsonl.gz'), gzipSync(text, { level: 9 }));
}

/** Statistics of one float32 matrix of the example, computed here in the plainest way. */
function statisticsOf(name: string): TensorStatistics {
  const file = readFileSync(join(root, 'examples/bert-kjv/model.safetensors'));
  const headerLength = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerLength)) as Record<
    string,
    { shape: [number, number]; data_offsets: [number, number] }
  >;
  const entry = header[name];
  if (entry === undefined) throw new Error(`The example has no tensor ${name}.`);
  const [rows, columns] = entry.shape;
  const start = 8 + headerLength + entry.data_offsets[0];
  const values = Array.from({ length: rows * columns }, (_, index) =>
    file.readFloatLE(start + index * 4),
  );
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  const minimum = Math.min(...values);
  const maximum = Math.max(...values);
  const bins = 48;
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.floor(((value - minimum) / (maximum - minimum)) * bins));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return {
    name,
    count: values.length,
    mean,
    standardDeviation: Math.sqrt(variance),
    minimum,
    maximum,
    zeros: values.filter(value => value === 0).length,
    notFinite: 0,
    histogram: {
      edges: Array.from({ length: bins + 1 }, (_, i) => minimum + ((maximum - minimum) * i) / bins),
      counts,
    },
    picture: {
      name,
      group: 'width',
      shape: [rows, columns],
      rows,
      columns,
      values: values.map(shorten),
    },
    sampled: false,
  };
}

recordGrowth();
recordComparison();
const inspected = JSON.parse(cli('inspect', 'examples/bert-kjv', '--json')) as object;
// Where this copy of the repository lies is nobody's business.
writeFileSync(
  join(fixtures, 'inspected.json'),
  JSON.stringify({ ...inspected, directory: undefined }) + '\n',
);
writeFileSync(
  join(fixtures, 'statistics.json'),
  JSON.stringify(statisticsOf('bert.encoder.layer.1.intermediate.dense.weight')) + '\n',
);
