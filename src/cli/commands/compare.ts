import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../errors';
import { counted } from '../../format';
import { growthMethodNames, type GrowthMethodName } from '../../growth/methods';
import type { ComparisonReport, Keep, MethodSummary } from '../../protocol/comparison';
import type { ComparisonEvent } from '../../protocol/events';
import type { RunContext } from '../../run/context';
import {
  usualEvaluateEvery,
  usualGrowthSteps,
  usualMethods,
  type CompareRequest,
  type RunName,
} from '../../run/compare/request';
import { childRun } from '../childRun';
import { argumentsOf, shellLine } from '../commandLine';
import { addDataOptions, requiredDataOf, type DataFlags } from '../dataOptions';
import { formatLoss, formatSeconds, formatShare } from '../format';
import { printLine, type Host } from '../host';
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
import { formatTable } from '../table';
import { oneOf, wholeNumber, type Parse } from '../values';

type CompareOptions = JobOptions &
  TargetOptions &
  Omit<DataFlags, 'seed'> &
  StepOptions & {
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
  addOutputOptions(command).action(async (checkpoint: string, options: CompareOptions) => {
    const request = await requestOf(command, checkpoint, options);
    await runJob(host, options, checkpoint, async context => {
      const { compare, compareOne } = await import('../../run/compare/compare');
      const told = { ...context, emit: tellRuns(host, options, context.emit) };
      if (options.only) {
        await compareOne(told, request, options.only);
        return;
      }
      const report = await compare(told, request, startRuns(host, command, options));
      if (options.json) return;
      printLine(host, `\n${describeReport(report)}`);
      for (const { method, seed, folder, loss } of report.models ?? []) {
        const kept = `Model of ${method}, seed ${seed}, held-out loss ${formatLoss(loss)}:`;
        printLine(host, `${kept} ${join(options.out, folder)}`);
      }
      printLine(host, `Digest of what was found, without times and machine: ${report.digest}`);
    });
  });
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
  const repeat = { out, resume: undefined, overwrite: undefined, json: undefined };
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

/** Shows events of runs as lines, and leaves all others to the usual reporter. */
const tellRuns =
  (host: Host, { json, verbose }: CompareOptions, emit: RunContext['emit']): RunContext['emit'] =>
  event => {
    const own = event.type === 'comparison' || event.type === 'comparisonRun';
    if (json || !own) {
      emit(event);
      return;
    }
    const text = describeRun(event, verbose ?? false);
    if (text !== undefined) printLine(host, text);
  };

function describeRun(
  event: Exclude<ComparisonEvent, { type: 'comparisonStep' }>,
  verbose: boolean,
): string | undefined {
  const run = `${event.method.padEnd(12)} seed ${event.seed}`;
  if (event.type === 'comparison') {
    const { phase, step, steps, loss, seconds } = event;
    if (phase === 'growth' && !verbose && step !== steps) return undefined;
    const where = `${String(step).padStart(String(steps).length)}/${steps}`;
    const what = phase === 'growth' ? 'growing ' : 'training';
    return `  ${run}  ${what} ${where}  loss ${formatLoss(loss)}  ${formatSeconds(seconds)}`;
  }
  const { state, ended, runs, message } = event;
  if (state === 'started') return undefined;
  const reason = state === 'failed' ? ` failed: ${message}` : ' finished';
  return `${run}${reason} (${ended} of ${runs})`;
}

/** The savings as a table for people; a saving is told where every seed has one. */
export function describeReport({
  methods,
  settings,
}: Pick<ComparisonReport, 'methods'> & {
  readonly settings: Pick<ComparisonReport['settings'], 'steps'>;
}): string {
  const share = (method: MethodSummary, read: 'flops' | 'seconds'): string => {
    const spread = method.savings?.[read];
    return spread ? formatShare(spread.mean) : '';
  };
  const within = `within ${counted(settings.steps, 'step')}`;
  const outcome = ({ savings, finished, reached, seeds, failures }: MethodSummary): string => {
    if (savings) return '';
    if (finished === 0) return `failed: ${failures[0]?.message ?? ''}`;
    if (seeds.length === 0) return 'nothing to compare with: training from scratch did not finish';
    if (reached === 0) return `never ${within}`;
    return `only ${reached} of ${seeds.length} seeds ${within}`;
  };
  return formatTable(
    [
      ['method', 'start', 'end', 'FLOPs saved', 'time saved', ''],
      ...methods.map(method => [
        method.method,
        method.start ? formatLoss(method.start.mean) : '',
        method.end ? formatLoss(method.end.mean) : '',
        share(method, 'flops'),
        share(method, 'seconds'),
        outcome(method),
      ]),
    ],
    1,
  );
}
