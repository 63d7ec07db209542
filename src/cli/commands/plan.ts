import type { Command } from 'commander';
import { counted } from '../../format';
import { learningMethodNames, type GrowthMethodName } from '../../growth/methods';
import type { GrowthPlan } from '../../protocol/events';
import type { TimedPlan } from '../../run/questions/timedPlan';
import { addBatchOptions, type BatchOptions } from '../dataOptions';
import { exitCodes } from '../failure';
import { formatBytes, formatCount, formatFlops, formatSeconds } from '../format';
import { printLine, type Host } from '../host';
import { quietContext, type JobOptions } from '../job';
import { addLigoOptions, ligoSettingsOf, type LigoOptions } from '../ligoOptions';
import {
  addEngineOptions,
  addFormatOptions,
  addOption,
  addOutputOptions,
  addTargetOptions,
  ggufOf,
  takes,
  targetOf,
  type FormatOptions,
  type TargetOptions,
} from '../options';
import { formatFields, formatTable } from '../table';
import { commandLine } from '../../remedy/commandLine';
import { worded } from '../../remedy/worded';

type PlanOptions = JobOptions &
  TargetOptions &
  BatchOptions &
  LigoOptions &
  FormatOptions & { readonly method: GrowthMethodName };

/** `ligo plan`: tells what a growth would do and cost, or every reason against it. */
export function addPlanCommand(
  program: Command,
  host: Host,
  finish: (exitCode: number) => void,
): void {
  const command = program
    .command('plan <checkpoint>')
    .description('say what a growth would do and cost, or why it cannot be');
  addBatchOptions(addTargetOptions(command));
  const learning = takes.word(learningMethodNames);
  addOption(command, '--method <name>', learningMethodNames.join(', '), learning, 'ligo');
  addLigoOptions(command);
  addFormatOptions(command);
  addOutputOptions(addEngineOptions(command)).action(
    async (checkpoint: string, options: PlanOptions) => {
      const { method } = options;
      const settings = ligoSettingsOf(options, method);
      const { timedPlan } = await import('../../run/questions/timedPlan');
      const found = await timedPlan(
        quietContext(host, options),
        { checkpoint, target: targetOf(options), method, settings, gguf: ggufOf(options) },
        { batchSize: options.batch, sequenceLength: options.sequenceLength },
      );
      const plan = worded<TimedPlan>(found, commandLine);
      printLine(host, options.json ? JSON.stringify(plan) : describePlan(plan));
      if (plan.refusals.length > 0 || plan.memoryRefusal) finish(exitCodes.failed);
    },
  );
}

/** A plan as people read it. */
function describePlan(plan: TimedPlan): string {
  const { source, target, refusals, ignored, notes = [] } = plan;
  const change = (label: string, read: (model: GrowthPlan['source']) => number): string[] => [
    label,
    formatCount(read(source)),
    formatCount(read(target)),
  ];
  const refused = refusals.length > 0;
  const sizes = formatTable([
    [`${source.modelClass} (${source.family})`, 'before', 'after'],
    change('layers', model => model.layers),
    change('hidden units', model => model.hidden),
    change('heads', model => model.heads),
    ...(source.kvHeads === undefined
      ? []
      : [change('key-value heads', model => model.kvHeads ?? 0)]),
    change('feed-forward', model => model.ffn),
    ...(refused ? [] : [change('parameters', model => model.parameters)]),
  ]);
  const sections = [
    sizes,
    refused
      ? list(
          'This growth is refused:',
          refusals.map(({ reason, remedy }) => `${reason} ${remedy}`),
        )
      : describeCost(plan),
    notes.length > 0
      ? list(
          'Notes:',
          notes.map(({ message, remedy }) => `${message} ${remedy}`),
        )
      : '',
    ignored.length > 0
      ? list(
          'Tensors of the source that are not used:',
          ignored.map(({ name, reason }) => `${name}: ${reason}`),
        )
      : '',
  ];
  return sections.filter(section => section !== '').join('\n\n');
}

function describeCost(plan: TimedPlan): string {
  const { operators, cost, diskBytes, estimate, memoryRefusal, source } = plan;
  const batch =
    cost &&
    (cost.sequenceLength > 1
      ? `${cost.batchSize} × ${cost.sequenceLength} tokens`
      : counted(cost.batchSize, 'image'));
  return formatFields([
    [
      'operators',
      `${operators.count} (width ${formatCount(operators.width)}, depth ${formatCount(operators.depth)} values)`,
    ],
    ['batch', batch],
    ['FLOPs a step', cost && formatFlops(cost.flopsPerStep)],
    [`FLOPs of ${counted(cost?.steps ?? 0, 'step')}`, cost && formatFlops(cost.flops)],
    ['peak memory', cost && describeMemory(cost)],
    ['too large', memoryRefusal && `${memoryRefusal.reason} ${memoryRefusal.remedy}`],
    ['disk', formatBytes(diskBytes)],
    ['engine', estimate?.reason],
    ['time', estimate && describeTime(estimate)],
    ['objective', cost && source.learns],
    ['learning', cost ? undefined : `not possible: ${source.modelClass} has no head`],
  ]);
}

function describeMemory({ peakBytes, processBytes }: NonNullable<GrowthPlan['cost']>): string {
  const step = `${formatBytes(peakBytes)} in a step`;
  return processBytes === undefined
    ? `about ${step}`
    : `about ${formatBytes(processBytes)} in main memory, of that ${step}`;
}

function describeTime(estimate: NonNullable<TimedPlan['estimate']>): string {
  const { seconds, from, device, secondsPerScoring } = estimate;
  const scoring =
    secondsPerScoring === undefined
      ? ''
      : `, and ${formatSeconds(secondsPerScoring)} for each held-out batch`;
  return from === 'step'
    ? `about ${formatSeconds(seconds)}${scoring} (an estimate: a few steps were tried on ${device})`
    : `more than ${formatSeconds(seconds)}${scoring} (an estimate from matrix products alone on ${device})`;
}

const list = (title: string, items: readonly string[]): string =>
  [title, ...items.map(item => `  ${item}`)].join('\n');
