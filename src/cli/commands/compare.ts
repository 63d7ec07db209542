import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../errors';
import { growthMethodNames, type GrowthMethodName } from '../../growth/methods';
import type { Keep } from '../../protocol/comparison';
import type { RunContext } from '../../run/context';
import {
  runsOf,
  usualEvaluateEvery,
  usualGrowthSteps,
  usualMethods,
  type CompareRequest,
  type RunName,
} from '../../run/compare/request';
import { lostRuns } from '../lostRuns';
import { childRun } from '../childRun';
import { argumentsOf, shellLine } from '../commandLine';
import { tellReport, tellRuns } from '../comparisonText';
import { addDataOptions, requiredDataOf, type DataFlags } from '../dataOptions';
import type { Host } from '../host';
import { runJob, type JobOptions } from '../job';
import {
  addEngineOptions,
  addOption,
  addOutputOptions,
  addStepOptions,
  memorySettingsOf,
  addTargetOptions,
  takes,
  targetOf,
  type StepOptions,
  type TargetOptions,
} from '../options';
import { addSubmitOptions, isSubmitted, submitRun, type SubmitOptions } from '../submission';
import { oneOf, wholeNumber, type Parse } from '../values';

type CompareOptions = JobOptions &
  TargetOptions &
  Omit<DataFlags, 'seed'> &
  StepOptions &
  SubmitOptions & {
    readonly methods: readonly GrowthMethodName[];
    readonly seeds: readonly number[];
    readonly growthSteps?: number;
    readonly freshness?: number;
    readonly evaluateEvery?: number;
    readonly smallSteps?: number;
    readonly smallBatch?: number;
    readonly parallel: number;
    readonly keep: Keep;
    readonly only?: RunName;
    readonly gather?: boolean;
    readonly resume?: boolean;
    readonly out: string;
    readonly overwrite?: boolean;
  };

/** `ligo compare`: the same growth by several methods, trained the same way. */
export function addCompareCommand(program: Command, host: Host): void {
  const command = program
    .command('compare <checkpoint>')
    .description('grow by several methods, train each the same way, and report what each saves');
  addStepOptions(addDataOptions(addTargetOptions(command)));
  addRunOptions(command);
  command
    .requiredOption(
      '--out <folder>',
      'folder for report.json, report.html and models; whole or absent',
    )
    .option('--overwrite', 'replace the folder if it exists')
    .option('--resume', 'go on with a comparison that was stopped, from where each run stood');
  addEngineOptions(command);
  addOutputOptions(addSubmitOptions(command)).action(
    async (checkpoint: string, options: CompareOptions) => {
      const request = await requestOf(command, checkpoint, options);
      if (isSubmitted(command, options)) {
        await submitRuns(host, command, request, options);
        return;
      }
      await runJob(host, options, checkpoint, async context => {
        const { compare, compareOne } = await import('../../run/compare/compare');
        const told = { ...context, emit: tellRuns(host, options, context.emit) };
        if (options.only) {
          await compareOne(told, request, options.only);
          return;
        }
        const elsewhere = options.gather
          ? lostRuns(options.out, request)
          : startRuns(host, command, options);
        const report = await compare(told, request, elsewhere);
        if (options.json) return;
        tellReport(host, options.out, report);
      });
    },
  );
}

function addRunOptions(command: Command): void {
  const methods = list(option => oneOf(option, growthMethodNames));
  const names = growthMethodNames.join(', ');
  addOption(command, '--methods <list>', `some of ${names}`, methods, usualMethods);
  const seeds = list(option => wholeNumber(option, 0));
  addOption(command, '--seeds <list>', 'one run of each method for each seed', seeds, [0]);
  addOption(
    command,
    '--growth-steps <n>',
    'steps of learning operators; by default a hundredth of --steps, 10 to 100',
    takes.count,
  );
  const fresh = 'random part of new weights, as `ligo grow` takes it';
  addOption(command, '--freshness <factor>', fresh, takes.amount);
  addOption(
    command,
    '--evaluate-every <n>',
    'steps between held-out evaluations; by default a twentieth',
    takes.count,
  );
  addOption(command, '--small-steps <n>', 'how long the small model was trained', takes.count);
  addOption(command, '--small-batch <n>', 'its batch, if another than --batch', takes.count);
  addOption(command, '--parallel <n>', 'runs at the same time, in processes', takes.count, 1);
  addOption(
    command,
    '--keep <which>',
    'trained models to write beside the report, each a checkpoint: winner, all or none; on the way several seeds need room for one a method',
    takes.word(['winner', 'all', 'none'] as const),
    'winner',
  );
  const words = 'make this run alone (method:seed), beside --out, for another process to gather';
  addOption(command, '--only <run>', words, runName);
  command.option('--gather', 'report on the runs that --only made; one that is missing has failed');
}

/** A list with commas of what `parse` takes. */
const list =
  <T>(parse: (option: string) => Parse<T>) =>
  (option: string): Parse<readonly T[]> =>
  text =>
    text.split(',').map(item => parse(option)(item.trim()));

const runName =
  (option: string): Parse<RunName> =>
  text => {
    const [method, seed, ...more] = text.split(':');
    if (method === undefined || seed === undefined || more.length > 0) {
      throw new UsageError(
        `${option} is ${JSON.stringify(text)}, not a method and a seed.`,
        `Give ${option} a run such as stack:0.`,
      );
    }
    return {
      method: oneOf(option, growthMethodNames)(method),
      seed: wholeNumber(option, 0)(seed),
    };
  };

async function requestOf(
  command: Command,
  checkpoint: string,
  options: CompareOptions,
): Promise<CompareRequest> {
  const { defaultTrainSettings: preset, defaultWarmup } = await import('../../run/settings');
  const { steps, seeds, smallSteps, out, resume = false, overwrite = false } = options;
  if (options.smallBatch !== undefined && smallSteps === undefined) {
    throw new UsageError(
      '--small-batch says nothing without --small-steps.',
      'Give both, or leave both out.',
    );
  }
  const repeat = {
    out,
    resume: undefined,
    overwrite: undefined,
    json: undefined,
    gather: undefined,
  };
  return {
    checkpoint,
    target: targetOf(options),
    out,
    resume,
    overwrite,
    seeds,
    methods: options.methods,
    data: await requiredDataOf(checkpoint, { ...options, seed: seeds[0]! }),
    training: {
      ...preset,
      ...memorySettingsOf(options),
      steps,
      warmup: options.warmup ?? defaultWarmup(steps),
      learningRate: options.learningRate ?? preset.learningRate,
      weightDecay: options.weightDecay ?? preset.weightDecay,
      schedule: options.schedule ?? preset.schedule,
    },
    growthSteps: options.growthSteps ?? usualGrowthSteps(steps),
    ...(options.freshness !== undefined && { freshness: options.freshness }),
    evaluateEvery: options.evaluateEvery ?? usualEvaluateEvery(steps),
    ...(smallSteps !== undefined && {
      smallTraining: { steps: smallSteps, batchSize: options.smallBatch },
    }),
    keep: options.keep,
    parallel: options.parallel,
    command: shellLine(['ligo', ...argumentsOf(command, repeat)]),
  };
}

/** Hands the runs of a comparison to Slurm, a task for each, and a job after them that gathers what they left. */
async function submitRuns(
  host: Host,
  command: Command,
  request: CompareRequest,
  options: CompareOptions,
): Promise<void> {
  const { prepareRuns } = await import('../../run/compare/compare');
  const { runStateFolder } = await import('../../run/stop/runState');
  const alone = options.only ? '--only' : '--gather';
  if (options.only ?? options.gather) {
    throw new UsageError(
      `${alone} is a part of what --submit does by itself.`,
      `Leave ${alone} out.`,
    );
  }
  const apart = { parallel: undefined, resume: true };
  await submitRun(host, {
    command,
    checkpoint: request.checkpoint,
    options,
    state: runStateFolder(resolve(options.out)),
    changes: { ...apart, gather: true },
    parts: {
      option: '--only',
      values: runsOf(request).map(({ method, seed }) => `${method}:${seed}`),
      atOnce: options.parallel > 1 ? options.parallel : undefined,
      changes: { ...apart, overwrite: undefined },
    },
    prepare: () => prepareRuns(request),
  });
}

/** Starts runs as processes of this very command; undefined when they are to be made here. */
function startRuns(host: Host, command: Command, options: CompareOptions) {
  const { parallel } = options;
  if (parallel === 1) return undefined;
  const threads = options.threads ?? Math.max(1, Math.floor(availableParallelism() / parallel));
  return (run: RunName, { emit, signal }: Pick<RunContext, 'emit' | 'signal'>): Promise<void> => {
    const own = { only: `${run.method}:${run.seed}`, threads, json: true };
    const gathered = { parallel: undefined, overwrite: undefined };
    const args = argumentsOf(command, { ...gathered, ...own });
    return childRun({ script: host.script, args, emit, signal });
  };
}
