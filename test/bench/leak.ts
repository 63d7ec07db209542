// Memory of a process over many steps of a tiny growth, to see that nothing is left behind, and the
// time of a step, in which an engine's work beside the kernels shows:
//   node --expose-gc --import tsx test/bench/leak.ts [--engine cpu|webgpu|tfjs-cpu|tfjs-wasm|…] [--steps 10000]
// `--model linear` takes steps of a linear model, for engines in software on which a growth is slow.
import { parseArgs } from 'node:util';
import { testEngine } from '../support/engines';
import { withExecutable } from '../support/programs';
import { ligoStep } from './ligoStep';
import { linearStep } from './linearStep';

const { values: options } = parseArgs({
  options: {
    engine: { type: 'string', default: 'cpu' },
    steps: { type: 'string', default: '10000' },
    model: { type: 'string', default: 'growth' },
  },
});
if (!globalThis.gc) throw new Error('Give --expose-gc: garbage that may still go is no leak.');
process.env['LIGO_TEST_ENGINE'] = options.engine;

const steps = Number(options.steps);
const growth = {
  ...{ layers: 1, hidden: 64, targetLayers: 2, targetHidden: 128 },
  ...{ batch: 1, sequenceLength: 8, vocabulary: 50 },
};
const step = options.model === 'linear' ? linearStep() : ligoStep(growth, 'ours');

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

const engine = await testEngine({ threads: 1 });
console.log(`${steps} steps on ${engine.description.device}`);
await withExecutable(engine, step.program, async executable => {
  executable.load(step.operators);
  executable.load(step.frozen);
  let since = performance.now();
  for (let update = 1; update <= steps; update++) {
    const { loss } = await executable.run(step.feeds(update));
    if (update % (steps / 5) !== 0) continue;
    const milliseconds = (performance.now() - since) / (steps / 5);
    globalThis.gc!();
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    console.log(
      `step ${update}: ${megabytes(rss)} MB resident, ${megabytes(heapUsed)} heap, ` +
        `${megabytes(arrayBuffers)} buffers, ${milliseconds.toFixed(1)} ms a step, loss ${loss![0]!.toFixed(5)}`,
    );
    since = performance.now();
  }
});
await engine.dispose();
