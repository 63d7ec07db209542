import { join } from 'node:path';
import { counted } from '../format';
import type { ComparisonReport, MethodSummary } from '../protocol/comparison';
import type { ComparisonEvent } from '../protocol/events';
import type { RunContext } from '../run/context';
import { formatLoss, formatSeconds, formatShare } from './format';
import { printLine, type Host } from './host';
import type { OutputOptions } from './options';
import { formatTable } from './table';

/** Shows events of runs as lines, and leaves all others to the usual reporter. */
export const tellRuns =
  (host: Host, { json, verbose }: OutputOptions, emit: RunContext['emit']): RunContext['emit'] =>
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

/** Tells what a comparison found, and where its models are. */
export function tellReport(host: Host, out: string, report: ComparisonReport): void {
  printLine(host, `\n${describeReport(report)}`);
  for (const { method, seed, folder, loss } of report.models ?? []) {
    const kept = `Model of ${method}, seed ${seed}, held-out loss ${formatLoss(loss)}:`;
    printLine(host, `${kept} ${join(out, folder)}`);
  }
  printLine(host, `Digest of what was found, without times and machine: ${report.digest}`);
}
