// Seconds, memory and FLOPs of one LiGO step, ours against the plain form that builds every grown
// matrix and all logits: npm run bench
// Each form runs in a process of its own, in turns, so that memory is its own and drift hits both.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildSync } from 'esbuild';
import { plainWeights, recognizeArchitecture } from '../../src/architecture';
import { onnxRuntimeCpu } from '../../src/engine';
import {
  countFlops,
  elementCount,
  inputName,
  peakBytes,
  programResults,
  topologicalOrder,
} from '../../src/graph';
import { grownWeights, initializeOperators, operatorsOf, type Growth } from '../../src/growth';
import { randomGenerator } from '../../src/random';
import {
  batchFeeds,
  objectiveGraph,
  optimizerFeeds,
  trainingProgram,
  type BatchShape,
} from '../../src/training';
import { bertShapes } from './bertShapes';

const forms = ['ours', 'plain'] as const;
type Form = (typeof forms)[number];

interface Measurement {
  readonly seconds: readonly number[];
  readonly peakResidentBytes: number;
  readonly estimatedPeakBytes: number;
  readonly matrixFlops: number;
  readonly nodes: number;
  readonly compileSeconds: number;
  readonly losses: readonly number[];
}

const { values: options } = parseArgs({
  options: {
    form: { type: 'string' },
    steps: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '3' },
    layers: { type: 'string', default: '6' },
    hidden: { type: 'string', default: '256' },
    'target-layers': { type: 'string', default: '12' },
    'target-hidden': { type: 'string', default: '384' },
    batch: { type: 'string', default: '8' },
    'sequence-length': { type: 'string', default: '128' },
    vocabulary: { type: 'string', default: '30522' },
  },
});

const size = (name: Exclude<keyof typeof options, 'form'>): number => Number(options[name]);

function bertGrowth(): Growth {
  const { config, tensors } = bertShapes({
    layers: size('layers'),
    hidden: size('hidden'),
    vocabulary: size('vocabulary'),
    positions: 512,
  });
  const source = recognizeArchitecture(config, tensors).architecture;
  const target = source.resized({
    numHiddenLayers: size('target-layers'),
    hiddenSize: size('target-hidden'),
    numAttentionHeads: size('target-hidden') / 64,
    intermediateSize: 4 * size('target-hidden'),
  });
  return { source, target };
}

const optimizer = { betas: [0.9, 0.999], epsilon: 1e-8, clipNorm: 1 } as const;
const groups = [{ name: 'operators', learningRate: 2e-4, weightDecay: 0.01 }];

/** Ours reads only masked positions; the plain form computes logits everywhere, as the released code. */
function shapeOf(form: Form): BatchShape {
  const batchSize = size('batch');
  const sequenceLength = size('sequence-length');
  const tokens = batchSize * sequenceLength;
  const targets = form === 'ours' ? Math.round(0.15 * tokens) : tokens;
  return { batchSize, sequenceLength, targets };
}

async function measure(form: Form): Promise<Measurement> {
  const growth = bertGrowth();
  const shape = shapeOf(form);
  const grown = grownWeights(growth);
  const exists = new Set(growth.target.parameters.map(({ id }) => id));
  const weights =
    form === 'ours' ? grown : plainWeights(id => (exists.has(id) ? grown.tensor(id) : undefined));
  const objective = objectiveGraph(growth.target, weights, batchFeeds(growth.target, shape));
  const parameters = [...grown.operators.values()].map(input => ({ input, group: 'operators' }));
  const frozen = [...grown.small.values()];
  const started = performance.now();
  const program = trainingProgram(objective, parameters, frozen, optimizer);
  const executable = await onnxRuntimeCpu().compile(program);
  const compileSeconds = (performance.now() - started) / 1000;
  const random = randomGenerator(1, 1);
  const operators = initializeOperators(
    operatorsOf(growth),
    { depth: 'stackbert_noisy', width: 'rand' },
    1,
  );
  executable.load(operators);
  for (const input of frozen) {
    const mean = /(norm|ln\d)\.weight$/.test(inputName(input)) ? 1 : 0;
    const data = new Float32Array(elementCount(input.shape));
    for (let i = 0; i < data.length; i++) data[i] = mean + 0.02 * random.normal();
    executable.load({ [inputName(input)]: data });
  }
  const batch = randomBatch(shape);
  const seconds: number[] = [];
  const losses: number[] = [];
  for (let step = 0; step <= size('steps'); step++) {
    const before = performance.now();
    const { loss } = await executable.run({
      ...batch,
      ...optimizerFeeds(groups, optimizer, step + 1, 1),
    });
    if (step > 0) seconds.push((performance.now() - before) / 1000);
    losses.push(loss![0]!);
  }
  const results = programResults(program);
  return {
    seconds,
    peakResidentBytes: process.resourceUsage().maxRSS * 1024,
    estimatedPeakBytes: peakBytes(results),
    matrixFlops: countFlops(results).matrix,
    nodes: topologicalOrder(results).length,
    compileSeconds,
    losses,
  };
}

/** The same tokens and the same masked positions in both forms, so the losses agree. */
function randomBatch(shape: BatchShape) {
  const tokens = shape.batchSize * shape.sequenceLength;
  const masked = Math.round(0.15 * tokens);
  const random = randomGenerator(1, 2);
  const ids = new Int32Array(tokens).map(() => random.integer(size('vocabulary')));
  const chosen = Array.from({ length: masked }, (_, i) => Math.floor((i * tokens) / masked));
  const all = Array.from({ length: tokens }, (_, i) => i);
  const positions = Int32Array.from(shape.targets === masked ? chosen : all);
  const isChosen = new Set(chosen);
  return {
    input_ids: ids,
    positions,
    targets: positions.map(position => ids[position]!),
    weights: Float32Array.from(positions, position => (isChosen.has(position) ? 1 / masked : 0)),
  };
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

/** This file as plain JavaScript, so that no compiler counts towards the memory measured. */
function bundled(): string {
  const outfile = fileURLToPath(new URL('../../out/bench/step.mjs', import.meta.url));
  buildSync({
    entryPoints: [fileURLToPath(import.meta.url)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    mainFields: ['module', 'main'],
    external: ['onnxruntime-node', 'esbuild'],
  });
  return outfile;
}

function compare(): void {
  const found: Record<Form, Measurement[]> = { ours: [], plain: [] };
  const script = bundled();
  for (let round = 0; round < size('rounds'); round++) {
    for (const form of forms) {
      const child = spawnSync(
        process.execPath,
        [script, ...process.argv.slice(2), '--form', form],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
      );
      if (child.status !== 0) throw new Error(`The ${form} form ended with ${child.status}`);
      found[form].push(JSON.parse(child.stdout) as Measurement);
    }
  }
  const row = (form: Form) => {
    const runs = found[form];
    const seconds = runs.flatMap(run => run.seconds);
    const [first] = runs as [Measurement];
    return {
      form,
      'min s/step': Math.min(...seconds).toFixed(3),
      'median s/step': median(seconds).toFixed(3),
      'peak GB': (Math.max(...runs.map(run => run.peakResidentBytes)) / 1e9).toFixed(2),
      'GFLOP/step': (first.matrixFlops / 1e9).toFixed(1),
      'GFLOP/s': (first.matrixFlops / 1e9 / Math.min(...seconds)).toFixed(0),
      nodes: first.nodes,
      'compile s': first.compileSeconds.toFixed(2),
      'first loss': first.losses[0]!.toFixed(5),
      'last loss': first.losses.at(-1)!.toFixed(5),
    };
  };
  console.table([row('ours'), row('plain')]);
  const ratio = (value: (run: Measurement) => number): string => {
    const pairs = found.ours.map((run, index) => value(run) / value(found.plain[index]!));
    return `${median(pairs).toFixed(2)} (${Math.min(...pairs).toFixed(2)} – ${Math.max(...pairs).toFixed(2)})`;
  };
  console.log(`time ours / plain, pair by pair: ${ratio(run => median(run.seconds))}`);
  console.log(`memory ours / plain: ${ratio(run => run.peakResidentBytes)}`);
}

if (options.form === 'ours' || options.form === 'plain') {
  process.stdout.write(JSON.stringify(await measure(options.form)));
} else {
  compare();
}
