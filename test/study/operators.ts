// Learns operators on the examples under many settings and writes one JSON line a run:
//   node --import tsx test/study/operators.ts <stage> [example … | name=folder …]
// A folder is a language model's, with one text file beside it.
// Lines that are already in out/study/<stage>.jsonl are not run again. docs/operator-study.md tells
// what came out.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openEngine } from '../../src/engine';
import { learnOperators } from '../../src/run/grow/learn';
import { readSmallValues } from '../../src/run/open/model';
import { requireGrowth, resolveTarget } from '../../src/run/plan/plan';
import { grownModel, plainModel, scoreModel } from '../../src/run/score/scoring';
import { defaultLigoSettings, defaultWarmup, type LigoSettings } from '../../src/run/settings';
import { sourceValues } from '../../src/growth';
import { stages, type StudyRun } from './stages';
import { withData, withEngine, withModel } from '../support/opened';
import { DivergedError } from '../../src/errors';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A model to grow, and what it learns. */
interface Example {
  readonly name: string;
  readonly model: string;
  readonly data: string;
  readonly batchSize: number;
}

const bundled = (name: string, data: string, batchSize = 32): Example => ({
  ...{ name, batchSize },
  ...{ model: `${root}examples/${name}`, data: `${root}examples/${data}` },
});

const examples: readonly Example[] = [
  bundled('gpt2-kjv', 'kjv.txt'),
  bundled('bert-kjv', 'kjv.txt'),
  bundled('vit-fmnist', 'fashion-mnist', 64),
  bundled('llama-kjv', 'kjv.txt'),
];

/** What `name=folder` means. */
function ownExample(given: string): Example {
  const [name = '', folder = ''] = given.split('=');
  const text = readdirSync(folder).find(file => file.endsWith('.txt'));
  if (text === undefined) throw new Error(`${folder} has no text file`);
  return { name, model: folder, data: join(folder, text), batchSize: 32 };
}

interface StudyLine extends StudyRun {
  readonly example: string;
  readonly small: number;
  readonly before: number;
  readonly after: number;
  readonly accuracy: number;
  readonly drift: Readonly<Record<string, number>>;
}

async function study(
  { name: example, model: folder, data, batchSize }: Example,
  run: StudyRun,
): Promise<StudyLine> {
  const settings: LigoSettings = {
    ...defaultLigoSettings,
    ...run.settings,
    steps: run.steps,
    warmup: run.settings.warmup ?? defaultWarmup(run.steps),
  };
  const context = {
    emit: () => undefined,
    signal: new AbortController().signal,
    engine: () => openEngine({ engine: 'cpu' }),
    now: () => Date.now(),
  };
  return withModel(folder, async model => {
    const growth = requireGrowth(model, await resolveTarget(model, run.target));
    return withEngine(context, engine =>
      withData(
        engine,
        model,
        { data, batchSize, sequenceLength: 64, seed: run.seed },
        async opened => {
          const small = await readSmallValues(model, growth);
          const source = plainModel(growth.source, sourceValues(growth, small), 'source');
          const scores = await scoreModel(
            engine,
            source,
            opened.batches,
            opened.shape,
            context.signal,
          );
          const learned = await learnOperators(context, engine, {
            ...{ growth, small, data: opened, settings, seed: run.seed },
            ...{ out: `${root}out/study/none`, resume: false, fingerprint: '' },
          });
          const grown = grownModel(growth, small, learned.operators);
          const { batches, shape } = opened;
          const after = await scoreModel(engine, grown, batches, shape, context.signal);
          return {
            example,
            ...run,
            small: scores.loss,
            before: learned.before.loss,
            after: after.loss,
            accuracy: after.accuracy ?? NaN,
            drift: { ...learned.drift.groups },
          };
        },
      ),
    );
  });
}

const [stage = '', ...given] = process.argv.slice(2);
const named = given.filter(name => !name.includes('='));
const chosen = [
  ...examples.filter(({ name }) => given.length === 0 || named.includes(name)),
  ...given.filter(name => name.includes('=')).map(ownExample),
];
const runs = stages[stage];
if (!runs) throw new Error(`Stages: ${Object.keys(stages).join(', ')}`);
const path = `${root}out/study/${stage}.jsonl`;
mkdirSync(dirname(path), { recursive: true });
const done = new Set(
  (existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [])
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as StudyLine)
    .map(({ example, label, seed }) => `${example} ${label} ${seed}`),
);
for (const run of runs) {
  for (const example of chosen) {
    const { name } = example;
    if (run.only && !run.only.includes(name)) continue;
    if (done.has(`${name} ${run.label} ${run.seed}`)) continue;
    const line = await study(example, run).catch((error: unknown) => {
      // A diverged setting is a result of the study, not the end of it.
      if (!(error instanceof DivergedError)) throw error;
      return { example: name, ...run, diverged: true };
    });
    appendFileSync(path, `${JSON.stringify(line)}\n`);
    const shown = 'after' in line ? line.after.toFixed(4) : 'diverged';
    process.stdout.write(`${name} ${run.label} seed ${run.seed}: ${shown}\n`);
  }
}
