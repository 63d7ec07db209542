import type { RunEvent } from '../protocol/events';
import type { Told } from '../protocol/told';
import { commandLine } from '../remedy/commandLine';
import { worded } from '../remedy/worded';
import { eventInWords, type RunContext } from '../run/context';
import { engineFactory, type EngineOptions } from './engines';
import type { Host } from './host';
import type { OutputOptions } from './options';
import { openReporter, warn, type RateUnit } from './reporter';

/** Options of a command that computes. */
export type JobOptions = OutputOptions & EngineOptions;

/** Runs a job with its events shown, and leaves the terminal in order however it ends. */
export async function runJob<T>(
  host: Host,
  options: JobOptions,
  checkpoint: string,
  work: (context: RunContext) => Promise<T>,
): Promise<T> {
  const engine = engineFactory(options);
  const reporter = openReporter(host, options, await rateUnit(checkpoint));
  try {
    return await work({
      emit: inCommandLine(reporter.emit),
      signal: host.signal,
      engine,
      now: host.now,
    });
  } finally {
    reporter.close();
  }
}

/** Listens to a run for someone who reads the words of the command line. */
export const inCommandLine =
  (emit: (event: RunEvent) => void): RunContext['emit'] =>
  event =>
    emit(eventInWords(event, commandLine));

/** A run of whose events only warnings are told, for commands that print one result. */
export const quietContext = (host: Host, options: EngineOptions): RunContext => ({
  emit: event => {
    if (event.type === 'warning') warn(host, worded<Told>(event, commandLine));
  },
  signal: host.signal,
  engine: engineFactory(options),
  now: host.now,
});

/** What the model reads; headers tell. */
export async function rateUnit(checkpoint: string): Promise<RateUnit> {
  const [{ openModel }, { readsLabelledText }] = await Promise.all([
    import('../run/open/model'),
    import('../training'),
  ]);
  const model = await openModel(checkpoint);
  await model.checkpoint.close();
  return readsLabelledText(model.architecture) ? 'texts' : model.architecture.accepts.kind;
}
