// What a growth of real shapes takes: the most that was resident and the seconds of each part of it, beside
// what a plan says. Models have random weights. Linux only.
//   node --import tsx test/bench/sizes.ts [--size tiny|small|gpt2|bert|smollm2|qwen]
//     [--engine cpu|tfjs-cpu|tfjs-wasm|tfjs-node] [--steps 2] [--batch 4] [--sequence-length 128] [--recompute] [--share-ffn]
//     [--out folder]
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatBytes } from '../../src/format';
import { ligoSettings } from '../../src/run/settings';
import { example } from '../support/fixtures';
import { bundled, outputFolder, printedJson } from './child';
import { publishedShapes } from './publishedShapes';
import { writeRandomModel } from './randomModel';
import type { Part, WatchedGrowth } from './sizesChild';

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: 'tiny' },
    engine: { type: 'string', default: 'cpu' },
    steps: { type: 'string', default: '2' },
    batch: { type: 'string', default: '4' },
    'sequence-length': { type: 'string', default: '128' },
    recompute: { type: 'boolean', default: false },
    'share-ffn': { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const shapes = publishedShapes[options.size];
if (!shapes) throw new Error(`--size is one of ${Object.keys(publishedShapes).join(', ')}`);
const checkpoint = join(outputFolder, `shapes-${options.size}`);
if (!existsSync(join(checkpoint, 'model.safetensors'))) await writeRandomModel(checkpoint, shapes);

const growth: WatchedGrowth = {
  engine: options.engine as WatchedGrowth['engine'],
  request: {
    checkpoint,
    target: shapes.target,
    method: 'ligo',
    seed: 0,
    settings: ligoSettings('ligo', {
      steps: Number(options.steps),
      recompute: options.recompute,
      shareFfn: options['share-ffn'],
    }),
    out: options.out ?? `${checkpoint}-grown`,
    overwrite: true,
    data: {
      data: example('kjv.txt'),
      batchSize: Number(options.batch),
      sequenceLength: Number(options['sequence-length']),
      evaluationBatches: 1,
      separator: 'newline',
      seed: 0,
    },
  },
};
const child = bundled('sizesChild');
const { parts, losses, planned } = printedJson(process.execPath, [
  child,
  JSON.stringify(growth),
]) as {
  readonly parts: readonly Part[];
  readonly losses: readonly number[];
  readonly planned: number;
};
console.log(
  `${shapes.title}, batch ${options.batch} × ${options['sequence-length']}, ${options.engine}`,
);
for (const { until, seconds, bytes, after } of parts) {
  const most = formatBytes(bytes).padStart(8);
  console.log(
    `${until.padEnd(16)} ${seconds.toFixed(1).padStart(7)} s ${most}, then ${formatBytes(after)}`,
  );
}
const most = Math.max(...parts.map(({ bytes }) => bytes));
const all = parts.reduce((sum, { seconds }) => sum + seconds, 0);
console.log(
  `all              ${all.toFixed(1).padStart(7)} s ${formatBytes(most).padStart(8)}; by the plan ${formatBytes(planned)} (${(planned / most).toFixed(2)} of it)`,
);
console.log(`losses ${losses.map(loss => loss.toFixed(6)).join(' ')}`);
