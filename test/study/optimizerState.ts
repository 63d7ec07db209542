// What a grown optimizer's state is worth: a small model trains on and keeps its state, grows by methods that copy, and
// trains on with the state and without. Prints held-out losses on the way.
//   node --import tsx test/study/optimizerState.ts [seeds] [small steps] [large steps]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEngine } from '../../src/engine';
import type { RunContext } from '../../src/run/context';
import { grow } from '../../src/run/grow/grow';
import { defaultLigoSettings, defaultTrainSettings } from '../../src/run/settings';
import { train } from '../../src/run/train/train';
import type { TrainingReceipt } from '../../src/run/write/trainingReceipt';

const [seeds = 3, smallSteps = 400, largeSteps = 200] = process.argv.slice(2).map(Number);
const methods = ['stack', 'net2net', 'hypercloning', 'copy'] as const;
const every = Math.round(largeSteps / 10);
const examples = join(import.meta.dirname, '../../examples');
const folder = mkdtempSync(join(tmpdir(), 'ligo-study-'));

const context: RunContext = {
  emit: () => undefined,
  signal: new AbortController().signal,
  engine: () => openEngine({ engine: 'cpu', threads: 2 }),
  now: () => 0,
};
const data = {
  data: join(examples, 'kjv.txt'),
  ...{ batchSize: 16, sequenceLength: 64, evaluationBatches: 8, seed: 0 },
  separator: 'newline',
} as const;

async function losses(from: string, name: string, seed: number, state: 'use' | 'reset') {
  const out = join(folder, name);
  const settings = { ...defaultTrainSettings, steps: largeSteps, warmup: 0 };
  await train(context, {
    ...{ checkpoint: from, out, data: { ...data, seed }, seed, evaluateEvery: every },
    settings: { ...settings, schedule: 'linear' },
    optimizerState: state,
  });
  const receipt = JSON.parse(readFileSync(join(out, 'training.json'), 'utf8')) as TrainingReceipt;
  rmSync(out, { recursive: true });
  return receipt.curve!;
}

try {
  for (let seed = 0; seed < seeds; seed++) {
    const small = join(folder, `small-${seed}`);
    const settings = { ...defaultTrainSettings, steps: smallSteps, warmup: 20 };
    await train(context, {
      ...{ checkpoint: join(examples, 'gpt2-kjv'), out: small, data: { ...data, seed }, seed },
      settings: { ...settings, schedule: 'constant' },
      keepOptimizer: true,
    });
    for (const method of methods) {
      const large = join(folder, `${method}-${seed}`);
      await grow(context, {
        ...{ checkpoint: small, method, seed, out: large },
        target: { layers: 6, hidden: 128, heads: 8 },
        settings: { ...defaultLigoSettings, steps: 1, warmup: 0 },
        optimizerState: 'use',
      });
      for (const state of ['use', 'reset'] as const) {
        const curve = await losses(large, `${method}-${seed}-${state}`, seed, state);
        const shown = curve.map(({ step, loss }) => `${step}: ${loss.toFixed(3)}`).join('  ');
        process.stdout.write(`${method} seed ${seed} ${state.padEnd(5)} ${shown}\n`);
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
