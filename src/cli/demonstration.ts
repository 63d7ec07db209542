import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CorruptFileError, InterruptedError } from '../errors';
import { counted } from '../format';
import type { Evaluation } from '../protocol/evaluation';
import type { Receipt } from '../protocol/events';
import { grow, type GrowRequest } from '../run/grow/grow';
import type { GrowthMethodName } from '../growth/methods';
import { removeRunState } from '../run/stop/runState';
import { defaultLigoSettings, defaultWarmup } from '../run/settings';
import { engineFactory } from './engines';
import { formatCount, formatLoss, formatSeconds, formatShare } from './format';
import { printLine, type Host } from './host';
import { openReporter, type RateUnit } from './reporter';
import { formatTable } from './table';
import { inCommandLine } from './job';

/** An example checkpoint with the growth that the demonstration shows. */
interface Example {
  readonly name: string;
  readonly grown: string;
  readonly data: string;
  readonly about: string;
  readonly unit: RateUnit;
  readonly batch: { readonly batchSize: number; readonly sequenceLength?: number };
}

const target = { layers: 6, hidden: 96 };

const examples: readonly Example[] = [
  {
    name: 'gpt2-kjv',
    grown: 'gpt2-kjv-6x96',
    data: 'kjv.txt',
    about: 'a GPT-2 that has read the King James Bible',
    unit: 'tokens',
    batch: { batchSize: 32, sequenceLength: 64 },
  },
  {
    name: 'llama-kjv',
    grown: 'llama-kjv-6x96',
    data: 'kjv.txt',
    about: 'a Llama that has read it too, whose heads share keys and values by twos',
    unit: 'tokens',
    batch: { batchSize: 32, sequenceLength: 64 },
  },
  {
    name: 'vit-fmnist',
    grown: 'vit-fmnist-6x96',
    data: 'fashion-mnist',
    about: 'a Vision Transformer that tells clothes apart',
    unit: 'images',
    batch: { batchSize: 64 },
  },
];

/** What the demonstration does; tests make it shorter. */
export interface Demonstration {
  /** Folder that gets one grown checkpoint for each example. */
  readonly out: string;
  readonly steps: number;
  readonly evaluationBatches?: number;
}

/** The folder of the repository, from wherever in it this code was bundled to. */
export function repositoryRoot(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; dirname(folder) !== folder; folder = dirname(folder)) {
    if (existsSync(join(folder, 'examples', 'gpt2-kjv'))) return folder;
  }
  throw new CorruptFileError(
    `There are no examples in ${start} or above it.`,
    'Run the demonstration in a clone of the repository.',
  );
}

/** Grows the examples as `ligo grow` does, and shows what learning the operators brought. */
export async function demonstrate(host: Host, plan: Demonstration): Promise<void> {
  const started = host.now();
  const root = repositoryRoot();
  const baselines = await mkdtemp(join(tmpdir(), 'ligo-demo-'));
  const show = (path: string): string => {
    const short = relative(process.cwd(), path);
    return short.startsWith('..') ? path : short;
  };
  try {
    printLine(host, `LiGO Grow, three small models, offline, seed 0. Results go to ${plan.out}.`);
    for (const example of examples) await growExample(host, example, { root, baselines, plan });
  } finally {
    await rm(baselines, { recursive: true, force: true });
  }
  const grown = examples.map(example => show(join(plan.out, example.grown)));
  const [first] = grown as [string, ...string[]];
  const lines = [
    '',
    `Done in ${formatSeconds((host.now() - started) / 1000)}. The grown checkpoints, each with its receipt (growth.json):`,
    ...grown.map(path => `  ${path}`),
    '',
    'Next:',
    `  node dist/cli.js inspect ${first}`,
    `  node dist/cli.js train ${first} --data examples/kjv.txt --steps 200 --out out/trained`,
    '  node dist/cli.js plan <your checkpoint> --layers 24 --hidden 1024',
    'Or load one in Hugging Face transformers, unchanged:',
    `  AutoModelForCausalLM.from_pretrained("${first}")`,
  ];
  printLine(host, lines.join('\n'));
}

interface Place {
  readonly root: string;
  /** Folder for checkpoints that are only measured. */
  readonly baselines: string;
  readonly plan: Demonstration;
}

async function growExample(host: Host, example: Example, place: Place): Promise<void> {
  const { root, baselines, plan } = place;
  printLine(host, `\n== ${example.name}: ${example.about} ==`);
  const run = async (method: GrowthMethodName, out: string): Promise<Receipt> => {
    const reporter = openReporter(host, {}, example.unit);
    try {
      return await grow(
        // Of the baselines only the numbers are of interest.
        {
          emit: method === 'ligo' ? inCommandLine(reporter.emit) : () => undefined,
          signal: host.signal,
          engine: engineFactory({ engine: 'cpu' }),
          now: host.now,
        },
        requestFor(example, method, out, { root, plan }),
      );
    } finally {
      reporter.close();
    }
  };
  const out = join(plan.out, example.grown);
  const learned = await run('ligo', out).catch(async (error: unknown) => {
    if (!(error instanceof InterruptedError)) throw error;
    // So short a run is started anew rather than resumed.
    await removeRunState(out);
    throw new InterruptedError('The demonstration was stopped.', 'Run it again.', { cause: error });
  });
  printLine(host, 'For comparison: the same size stacked and copied, and at random …');
  const stacked = await run('stack', join(baselines, `${example.grown}-stack`));
  const random = await run('random', join(baselines, `${example.grown}-random`));
  printLine(host, `\n${comparison(learned, stacked, random)}`);
}

function requestFor(
  { name, data, batch }: Example,
  method: GrowthMethodName,
  out: string,
  { root, plan }: Pick<Place, 'root' | 'plan'>,
): GrowRequest {
  const { steps, evaluationBatches } = plan;
  return {
    checkpoint: join(root, 'examples', name),
    target,
    method,
    out,
    seed: 0,
    data: { data: join(root, 'examples', data), ...batch, evaluationBatches, seed: 0 },
    settings: { ...defaultLigoSettings, steps, warmup: defaultWarmup(steps) },
    // What an earlier demonstration left is replaced, nothing else.
    overwrite: existsSync(join(out, 'growth.json')),
  };
}

/** All numbers are the receipts'. */
function comparison(learned: Receipt, stacked: Receipt, random: Receipt): string {
  const sizes = ({ layers, hidden, parameters }: Receipt['target']): string =>
    `${layers} × ${hidden}, ${formatCount(parameters)} parameters`;
  const row = (label: string, scores: Evaluation | undefined): string[][] =>
    scores ? [[label, formatLoss(scores.loss), formatShare(scores.accuracy ?? NaN)]] : [];
  const frequencies = learned.losses?.frequencies;
  return formatTable([
    ['model', 'held-out loss', 'accuracy'],
    ...row(`small (${sizes(learned.source)})`, learned.losses?.small),
    ...row(`grown, before training (${sizes(learned.target)})`, learned.losses?.before),
    ...row(
      `grown, after ${counted(learned.steps, 'step')} on the operators`,
      learned.losses?.after,
    ),
    ...row('stacked and copied, nothing learned', stacked.losses?.after),
    ...row('random weights of the same size', random.losses?.after),
    ...(frequencies === undefined
      ? []
      : [['(target frequencies alone)', formatLoss(frequencies), '']]),
  ]);
}
