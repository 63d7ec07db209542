// Seconds, memory and FLOPs of one LiGO step, ours against the plain form that builds every grown
// matrix and all logits, and against a peer if one is given: npm run bench
// Each form runs in a process of its own, in turns, so that memory is its own and drift hits all.
// docs/speed.md explains the options and what was found.
import { mkdirSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { writeCheckpoint } from '../../src/checkpoint/writeCheckpoint';
import { bundled, outputFolder, printedJson } from './child';
import {
  benchModels,
  ffnOf,
  headsOf,
  ligoStep,
  type Form,
  type MemorySavings,
  type StepSizes,
} from './ligoStep';
import { measure, type Measurement, type StepTimes } from './measure';
import { printProfile } from './profile';
import { inputName } from '../../src/graph';

const { values: options } = parseArgs({
  options: {
    form: { type: 'string' },
    model: { type: 'string', default: 'bert' },
    peer: { type: 'string' },
    profile: { type: 'boolean', default: false },
    recompute: { type: 'boolean', default: false },
    accumulate: { type: 'string', default: '1' },
    threads: { type: 'string', default: '2' },
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

const steps = Number(options.steps);
const threads = Number(options.threads);
const model = benchModels.find(name => name === options.model);
if (!model) throw new Error(`--model is one of ${benchModels.join(', ')}`);
const sizes: StepSizes = {
  model,
  layers: Number(options.layers),
  hidden: Number(options.hidden),
  targetLayers: Number(options['target-layers']),
  targetHidden: Number(options['target-hidden']),
  batch: Number(options.batch),
  sequenceLength: Number(options['sequence-length']),
  vocabulary: Number(options.vocabulary),
};

const savings: MemorySavings = {
  recomputeLayers: options.recompute,
  microBatches: Number(options.accumulate),
};

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;

/** The values every form starts from, for a peer; the batch as float32 too. */
async function writeValues(): Promise<string> {
  const step = ligoStep(sizes, 'ours');
  const shapes = new Map(
    [...step.program.frozen, ...step.program.state.map(({ input }) => input)].map(tensor => [
      inputName(tensor),
      tensor.shape,
    ]),
  );
  const batch = Object.entries(step.batch).map(([name, data]) => [`batch.${name}`, data] as const);
  const values = [...Object.entries({ ...step.frozen, ...step.operators }), ...batch];
  mkdirSync(outputFolder, { recursive: true });
  rmSync(`${outputFolder}values.safetensors`, { force: true });
  const { files } = await writeCheckpoint(
    outputFolder,
    values.map(([name, data]) => ({
      name,
      type: 'F32' as const,
      shape: shapes.get(name) ?? [data.length],
      values: () => Promise.resolve(Float32Array.from(data)),
    })),
    { baseName: 'values' },
  );
  return files[0]!;
}

/** The least processor time of any step. */
const processorSeconds = (runs: readonly StepTimes[]): number =>
  Math.min(...runs.flatMap(run => run.processorSeconds));

const timeColumns = ({ runs }: { readonly runs: readonly StepTimes[] }) => {
  const seconds = runs.flatMap(run => run.seconds);
  return {
    'min s/step': Math.min(...seconds).toFixed(3),
    'median s/step': median(seconds).toFixed(3),
    // Threads that wait for each other spin, so only the time of a single one means work.
    ...(threads === 1 && { 'min processor s': processorSeconds(runs).toFixed(3) }),
    'peak GB': (Math.max(...runs.map(run => run.peakResidentBytes)) / 1e9).toFixed(2),
    'first loss': runs[0]!.losses[0]!.toFixed(5),
    'last loss': runs[0]!.losses.at(-1)!.toFixed(5),
  };
};

const programColumns = ([first]: readonly Measurement[], seconds: number) => ({
  'GFLOP/step': (first!.matrixFlops / 1e9).toFixed(1),
  'GFLOP/s': (first!.matrixFlops / 1e9 / seconds).toFixed(0),
  nodes: first!.nodes,
  'estimated GB': (first!.estimatedPeakBytes / 1e9).toFixed(2),
  'compile s': first!.compileSeconds.toFixed(2),
});

function printRatio(ours: readonly StepTimes[], theirs: readonly StepTimes[], name: string): void {
  const best = (runs: readonly StepTimes[]): number =>
    Math.min(...runs.flatMap(({ seconds }) => seconds));
  const pairs = ours.map((run, index) => median(run.seconds) / median(theirs[index]!.seconds));
  const memory = ours.map((run, index) => run.peakResidentBytes / theirs[index]!.peakResidentBytes);
  console.log(
    `ours / ${name}: time ${(best(ours) / best(theirs)).toFixed(2)} at best, ${median(pairs).toFixed(2)} in the median` +
      ` (${Math.min(...pairs).toFixed(2)} – ${Math.max(...pairs).toFixed(2)} round by round), memory ${median(memory).toFixed(2)}`,
  );
  if (threads !== 1) return;
  const processor = processorSeconds(ours) / processorSeconds(theirs);
  console.log(`ours / ${name}: processor time ${processor.toFixed(2)} at best`);
}

async function compare(): Promise<void> {
  const script = bundled('step');
  const found: Record<Form, Measurement[]> = { ours: [], plain: [] };
  const peers: StepTimes[] = [];
  const peer = options.peer?.split(' ');
  const values = peer && (await writeValues());
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const form of ['ours', 'plain'] as const) {
      const args = [script, ...process.argv.slice(2), '--form', form];
      found[form].push(printedJson(process.execPath, args) as Measurement);
    }
    if (!peer || !values) continue;
    const args = {
      model: sizes.model,
      values,
      heads: headsOf(sizes),
      hidden: sizes.hidden,
      ffn: ffnOf(sizes.model, sizes.hidden),
      batch: sizes.batch,
      threads,
      steps,
    };
    const given = Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)]);
    const command = [...peer.slice(1), ...given];
    peers.push(printedJson(peer[0]!, command) as StepTimes);
  }
  const row = (form: Form) => {
    const runs = found[form];
    const seconds = Math.min(...runs.flatMap(run => run.seconds));
    return { form, ...timeColumns({ runs }), ...programColumns(runs, seconds) };
  };
  console.table([
    row('ours'),
    row('plain'),
    ...(peers.length > 0 ? [{ form: 'peer', ...timeColumns({ runs: peers }) }] : []),
  ]);
  printRatio(found.ours, found.plain, 'plain');
  if (peers.length > 0) printRatio(found.ours, peers, 'peer');
}

if (options.form === 'ours' || options.form === 'plain') {
  const form = options.form;
  process.stdout.write(
    JSON.stringify(await measure(() => ligoStep(sizes, form, savings), { steps, threads })),
  );
} else if (options.profile) {
  await printProfile(ligoStep(sizes, 'ours', savings), steps);
} else {
  await compare();
}
