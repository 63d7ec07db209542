// Where the memory of a growth lies: the most that was resident in each part of it, beside what the plan
// says of a step. Models have GPT-2's shapes and random weights. Linux only.
//   node --import tsx test/bench/growthMemory.ts [--size tiny|small|gpt2] [--engine cpu|tfjs-cpu|tfjs-wasm]
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatBytes } from '../../src/format';
import { batchShape } from '../../src/run/open/data';
import { learningCost, requireGrowth, resolveTarget } from '../../src/run/plan/plan';
import { defaultLigoSettings } from '../../src/run/settings';
import { example } from '../support/fixtures';
import { bundled, outputFolder, printedJson } from './child';
import type { PhasePeak, WatchedGrowth } from './growthMemoryChild';
import { writeRandomGpt2 } from './randomGpt2';
import { withModel } from '../support/opened';

const words = { vocabulary: 50257, positions: 1024 };
/** Source and target; `gpt2` is 124 M parameters to 355 M. */
const sizes = {
  tiny: { source: { layers: 6, hidden: 384, heads: 6 }, target: { layers: 12, hidden: 512 } },
  small: { source: { layers: 8, hidden: 512, heads: 8 }, target: { layers: 12, hidden: 640 } },
  gpt2: { source: { layers: 12, hidden: 768, heads: 12 }, target: { layers: 24, hidden: 1024 } },
};

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: 'tiny' },
    engine: { type: 'string', default: 'cpu' },
  },
});
const { source, target } = sizes[options.size as keyof typeof sizes];
const checkpoint = join(outputFolder, `gpt2-${options.size}`);
if (!existsSync(join(checkpoint, 'model.safetensors'))) {
  await writeRandomGpt2(checkpoint, { ...source, ...words });
}
const settings = { ...defaultLigoSettings, steps: 2, warmup: 1 };
const batch = { batchSize: 4, sequenceLength: 128 };
const { peakBytes } = await withModel(checkpoint, async model => {
  const growth = requireGrowth(model, await resolveTarget(model, target));
  return learningCost(growth, settings, batchShape(model.architecture, batch));
});
const growth: WatchedGrowth = {
  engine: options.engine as WatchedGrowth['engine'],
  request: {
    ...{ checkpoint, target, method: 'ligo', seed: 0, settings },
    ...{ out: `${checkpoint}-grown`, overwrite: true },
    data: {
      ...{ data: example('kjv.txt'), ...batch, evaluationBatches: 1 },
      ...{ separator: 'newline', seed: 0 },
    },
  },
};
const child = bundled('growthMemoryChild');
const { phases, bytes } = printedJson(process.execPath, [child, JSON.stringify(growth)]) as {
  readonly phases: readonly PhasePeak[];
  readonly bytes: number;
};
for (const phase of phases) {
  const { until, bytes: most, after } = phase;
  console.log(`${until.padEnd(16)} ${formatBytes(most).padStart(8)}, then ${formatBytes(after)}`);
}
console.log(`the process: ${formatBytes(bytes)}; a step by the plan: ${formatBytes(peakBytes)}`);
