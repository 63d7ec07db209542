import { join } from 'node:path';
import { readEnd, readOwnText } from '../files';
import { comparisonFiles } from '../protocol/comparison';
import type { RunEvent } from '../protocol/events';
import { describeState, explainJobEnd } from '../slurm/explain';
import { followJob } from '../slurm/follow';
import { eventsFile, logFile } from '../slurm/job';
import { idsOf } from '../slurm/live';
import { jobFolder, type JobRecord } from '../slurm/record';
import type { Slurm } from '../slurm/slurm';
import type { TaskState } from '../slurm/states';
import { tellReport, tellRuns } from './comparisonText';
import { printError, printLine, type Host } from './host';
import { inCommandLine } from './job';
import type { OutputOptions } from './options';
import { openReporter } from './reporter';

/** A run that a job makes. */
export interface FollowedRun extends OutputOptions {
  readonly out: string;
  readonly slurm: Slurm;
  readonly record: JobRecord;
}

type Said = Extract<RunEvent, { type: 'done' | 'failed' }>;

/** Bytes of a report at most: its curves have a few hundred a point. */
const largestReport = 256 * 1024 * 1024;
/** Bytes of a log of which the last lines are told. */
const endOfLog = 2000;

/**
 * Shows a run that a job makes as if it were made here, until it ended. Ctrl-C cancels the job. Throws what
 * the run failed by, or what Slurm did to it.
 */
export async function followRun(host: Host, followed: FollowedRun): Promise<void> {
  const { out, slurm, record, json, verbose } = followed;
  const { runEvent } = await import('../protocol/eventSchemas');
  const folder = jobFolder(out);
  const main = join(folder, eventsFile());
  const options = { ...(json && { json }), ...(verbose && { verbose }) };
  const reporter = openReporter(host, options, record.unit);
  const emit = tellRuns(host, options, inCommandLine(reporter.emit));
  const say = (line: string): void => {
    reporter.close();
    if (json) printError(host, line);
    else printLine(host, line);
  };
  let said: Said | undefined;
  const states = new Map<string, string>();
  try {
    const ended = await followJob({
      slurm,
      ids: idsOf(record),
      files: [
        ...(record.parts?.tasks.map((_, task) => join(folder, eventsFile(task))) ?? []),
        main,
      ],
      signal: host.signal,
      onLine(line, file) {
        const parsed = runEvent.safeParse(parseLine(line));
        if (!parsed.success) return;
        const event = parsed.data;
        if (file !== main) {
          if (isOfPart(event)) emit(event);
          return;
        }
        // A run that was stopped for its time limit says so, and goes on.
        said = event.type === 'done' || event.type === 'failed' ? event : undefined;
        if (event.type !== 'failed') emit(event);
      },
      onStates(id, now) {
        const text = describeStates(now);
        if (states.get(id) === text) return;
        states.set(id, text);
        say(`Job ${id}: ${text}.`);
      },
      onTrouble: ({ message }) => say(`Warning: ${message}`),
    });
    if (said?.type !== 'done') {
      const end = ended.flatMap(({ state }) => (state.phase === 'ended' ? [state.end] : [])).at(-1);
      const log = (await readEnd(join(folder, logFile()), endOfLog))?.bytes.toString('utf8') ?? '';
      throw explainJobEnd({ id: record.job, end, told: said, log });
    }
  } finally {
    reporter.close();
  }
  if (said.digest !== undefined && !json) await showReport(host, out);
}

async function showReport(host: Host, out: string): Promise<void> {
  const { comparisonReport } = await import('../protocol/comparisonSchemas');
  const text = await readOwnText(out, comparisonFiles.data, largestReport);
  const parsed = comparisonReport.safeParse(parseLine(text ?? ''));
  if (parsed.success) tellReport(host, out, parsed.data);
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Half of a line, where a node died while it wrote.
    return undefined;
  }
}

/** What a part tells of how it goes; the rest is its own. */
const isOfPart = ({ type }: RunEvent): boolean =>
  type === 'comparison' || type === 'comparisonStep' || type === 'warning';

/** Where a job stands; of several tasks how many stand where. */
export function describeStates(states: readonly TaskState[]): string {
  const counts = new Map<string, number>();
  for (const { state } of states) {
    const text = describeState(state);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  if (counts.size === 0) return 'no longer known to Slurm';
  if (states.length === 1) return [...counts.keys()].join();
  return [...counts].map(([text, count]) => `${count} ${text}`).join(', ');
}
