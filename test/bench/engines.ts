// One LiGO step on each engine of this machine, in turns, each in a process of its own, as ratios to
// the CPU: node --import tsx test/bench/engines.ts [--engines cpu,webgpu,tfjs-wasm,tfjs-cpu] [--adapter own]
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { softwareAdapter } from '../../scripts/softwareAdapter.mjs';
import { testEngine } from '../support/engines';
import { withExecutable } from '../support/programs';
import { ligoStep } from './ligoStep';

const { values: options } = parseArgs({
  options: {
    engine: { type: 'string' },
    engines: { type: 'string', default: 'cpu,webgpu,tfjs-wasm,tfjs-cpu' },
    /** `own`: WebGPU on this machine's graphics card, not on the adapter in software. */
    adapter: { type: 'string', default: 'software' },
    steps: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '2' },
  },
});

const sizes = {
  layers: 2,
  hidden: 64,
  targetLayers: 3,
  targetHidden: 128,
  batch: 2,
  sequenceLength: 32,
  vocabulary: 512,
};

interface Line {
  readonly device: string;
  /** Of each step after the first. */
  readonly seconds: readonly number[];
  readonly peakResidentBytes: number;
  readonly loss: number;
}

async function measure(steps: number): Promise<Line> {
  const engine = await testEngine({ threads: 2 });
  const step = ligoStep(sizes, 'ours');
  return withExecutable(engine, step.program, async executable => {
    executable.load(step.operators);
    executable.load(step.frozen);
    const seconds: number[] = [];
    let loss = NaN;
    for (let update = 1; update <= steps + 1; update++) {
      const before = performance.now();
      loss = (await executable.run(step.feeds(update)))['loss']![0]!;
      if (update > 1) seconds.push((performance.now() - before) / 1000);
    }
    const peakResidentBytes = process.resourceUsage().maxRSS * 1024;
    return { device: engine.description.device, seconds, peakResidentBytes, loss };
  });
}

function inOwnProcess(engine: string): Line {
  const adapter = options.adapter === 'own' || engine !== 'webgpu' ? {} : softwareAdapter();
  if (!adapter)
    throw new Error('There is no software adapter: install chromium, or --adapter own.');
  const file = fileURLToPath(import.meta.url);
  const printed = execFileSync(
    process.execPath,
    ['--import', 'tsx', file, '--engine', engine, '--steps', options.steps],
    {
      encoding: 'utf8',
      env: { ...process.env, ...adapter, LIGO_TEST_ENGINE: engine },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  return JSON.parse(printed) as Line;
}

if (options.engine !== undefined) {
  process.stdout.write(JSON.stringify(await measure(Number(options.steps))));
} else {
  const engines = options.engines.split(',');
  const lines = new Map<string, Line[]>(engines.map(engine => [engine, []]));
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const engine of engines) lines.get(engine)!.push(inOwnProcess(engine));
  }
  const best = (engine: string): number =>
    Math.min(...lines.get(engine)!.flatMap(({ seconds }) => seconds));
  const memory = (engine: string): number =>
    Math.min(...lines.get(engine)!.map(({ peakResidentBytes }) => peakResidentBytes));
  const [first] = engines as [string];
  console.table(
    engines.map(engine => ({
      engine: lines.get(engine)![0]!.device,
      'ms a step': (1000 * best(engine)).toFixed(1),
      [`time against ${first}`]: (best(engine) / best(first)).toFixed(1),
      [`memory against ${first}`]: (memory(engine) / memory(first)).toFixed(2),
      loss: lines.get(engine)![0]!.loss.toFixed(5),
    })),
  );
}
