// How the time and the memory of a LiGO step grow with the model and the batch: a table, and a drawing
// in the file named on the command line: node --import tsx test/bench/curves.ts docs/speed-curves.svg
import { writeFileSync } from 'node:fs';
import { bundled, printedJson } from './child';
import { drawCurves } from './drawCurves';
import type { Measurement } from './measure';

/** What is varied, from a step that is small enough to be measured many times. */
const base = {
  layers: 3,
  hidden: 128,
  'target-layers': 6,
  'target-hidden': 192,
  batch: 8,
  'sequence-length': 64,
  vocabulary: 4096,
};

const axes = [
  { name: 'layers', at: [3, 6, 12, 24], sizes: (x: number) => ({ 'target-layers': x }) },
  {
    name: 'width',
    at: [192, 384, 576, 768],
    sizes: (x: number) => ({ 'target-hidden': x, hidden: (2 * x) / 3 }),
  },
  { name: 'batch', at: [4, 8, 16, 32], sizes: (x: number) => ({ batch: x }) },
  {
    name: 'sequence length',
    at: [32, 64, 128, 256, 512],
    sizes: (x: number) => ({ 'sequence-length': x }),
  },
];

const rounds = 2;
const steps = 4;

/** Best processor time of a step and least peak memory of its process, over all rounds. */
function measured(script: string, sizes: Readonly<Record<string, number>>) {
  const args = Object.entries({ ...sizes, steps, threads: 1 }).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ]);
  const runs = Array.from(
    { length: rounds },
    () => printedJson(process.execPath, [script, '--form', 'ours', ...args]) as Measurement,
  );
  return {
    seconds: Math.min(...runs.flatMap(({ processorSeconds }) => processorSeconds)),
    gigabytes: Math.min(...runs.map(({ peakResidentBytes }) => peakResidentBytes)) / 1e9,
  };
}

/** The exponent p of y ∝ xᵖ between the last two points, where fixed costs weigh least. */
function lastExponent(x: readonly number[], y: readonly number[]): number {
  return Math.log(y.at(-1)! / y.at(-2)!) / Math.log(x.at(-1)! / x.at(-2)!);
}

const script = bundled('step');
const curves = axes.map(({ name, at, sizes }) => {
  const points = at.map(x => measured(script, { ...base, ...sizes(x) }));
  return {
    name,
    x: at,
    seconds: points.map(({ seconds }) => seconds),
    gigabytes: points.map(({ gigabytes }) => gigabytes),
  };
});

for (const { name, x, seconds, gigabytes } of curves) {
  const row = (title: string, cells: readonly string[]): string =>
    `| ${[title, ...cells].join(' | ')} |`;
  console.log(
    [
      row(name, [...x.map(String), 'exponent']),
      row(
        ':--',
        [...x, ''].map(() => '--:'),
      ),
      row('ms', [
        ...seconds.map(value => (1000 * value).toFixed(0)),
        lastExponent(x, seconds).toFixed(2),
      ]),
      row('GB', [
        ...gigabytes.map(value => value.toFixed(2)),
        lastExponent(x, gigabytes).toFixed(2),
      ]),
      '',
    ].join('\n'),
  );
}
const [file] = process.argv.slice(2);
if (file) writeFileSync(file, drawCurves(curves));
