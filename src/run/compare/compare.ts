import { join } from 'node:path';
import { InterruptedError, UsageError, UserError, type Note } from '../../errors';
import { counted } from '../../format';
import { sourceValues } from '../../growth';
import {
  comparisonFiles,
  type ComparisonReport,
  type ComparisonRun,
  type FailedRun,
} from '../../protocol/comparison';
import { lossUnitOf } from '../../protocol/evaluation';
import { report, warn, type RunContext } from '../context';
import { warningOfLength } from '../score/positionLosses';
import { useModel, withOutput } from '../open/resources';
import { requireGrowth, requireHead, resolveTarget } from '../plan/plan';
import { plainModel } from '../score/scoring';
import { stoppable } from '../stop/stop';
import { writeNew } from '../write/writeNew';
import { dropOthers, placeModels } from './keep';
import { makeRun } from './makeRun';
import { withComparison, type Comparison } from './open';
import { comparisonPage } from '../../report/page';
import { reportDigest } from './digest';
import { buildReport } from './report';
import { checkRequest, runsOf, type CompareRequest, type RunName } from './request';
import { openRunStore } from './runStore';
import { by, compareAnew, repeat, resume } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';
import { commandLine } from '../../remedy/commandLine';
import { worded } from '../../remedy/worded';

/**
 * Makes one run elsewhere, by `compareOne` into the same folder; resolves when it ended, however it
 * ended, with why it left nothing where that is known and no reason to stop. Its events are to be passed
 * on. Aborting the signal stops it.
 */
export type MakeElsewhere = (
  run: RunName,
  context: Pick<RunContext, 'emit' | 'signal'>,
) => Promise<Pick<FailedRun, 'message' | 'remedy'> | void>;

/**
 * Grows by every method with every seed, trains what came out the same way, and writes report.json and
 * report.html. Runs that ended are kept beside the output until the report stands. With `elsewhere`,
 * runs are made in other processes, `request.parallel` at a time. Throws UserError for whatever a
 * person can mend; a method that fails is told in the report, and the others go on.
 */
export async function compare(
  context: RunContext,
  request: CompareRequest,
  elsewhere?: MakeElsewhere,
): Promise<ComparisonReport> {
  checkRequest(request);
  const finished = await stoppable(context, () =>
    withOutput(request.out, request.overwrite ?? false, directory =>
      withComparison(context, request, async comparison => {
        await makeRoom(comparison);
        return sayWhatIsKept(comparison, async () => {
          const { model, data } = comparison;
          warn(context, [...model.notes, ...data.notes]);
          const tooLong = await tooLongWarnings(context, comparison);
          warn(context, tooLong);
          const { runs, lost } = await makeRuns(context, comparison, elsewhere);
          const kept = keptForLost(comparison, lost);
          const touched = await data.batches.requireUnchanged();
          const { store } = comparison;
          const placed = await placeModels(store, request, runs, directory);
          const built = await buildReport(comparison, runs, context.now());
          warn(context, [...touched, ...built.notes, ...placed.notes, ...kept]);
          const notes = [
            ...model.notes,
            ...data.notes,
            ...tooLong,
            ...touched,
            ...built.notes,
            ...placed.notes,
            ...kept,
          ];
          const { models } = placed;
          const found = worded<ComparisonReport>(
            { ...built, notes, ...(models.length > 0 && { models }) },
            commandLine,
          );
          const result = { ...found, digest: reportDigest(found) };
          await writeNew(
            join(directory, comparisonFiles.data),
            `${JSON.stringify(result, null, 2)}\n`,
          );
          await writeNew(join(directory, comparisonFiles.page), comparisonPage(result));
          return { result, store, lost };
        });
      }),
    ),
  );
  // What was lost can be made yet, and be joined with what was not.
  if (finished.lost === 0) await finished.store.clear();
  const { digest, models } = finished.result;
  report(context, { type: 'done', out: request.out, digest, ...(models && { models }) });
  return finished.result;
}

/** A comparison that fails keeps the runs that ended, and says so. */
async function sayWhatIsKept<T>({ store }: Comparison, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof UserError) || error instanceof InterruptedError) throw error;
    const { ended } = await store.count();
    if (ended === 0) throw error;
    const kept = `${ended} ${ended === 1 ? 'run is' : 'runs are'} kept in ${store.folder}.`;
    const remedy = advise`${error.remedy} Then ${resume()}: ${kept}`;
    throw new UserError(error.message, remedy, { cause: error });
  }
}

/** What speaks against the length of the sequences. */
async function tooLongWarnings(
  { signal }: RunContext,
  { engine, growth, small, data }: Comparison,
): Promise<readonly Note[]> {
  const model = plainModel(growth.source, sourceValues(growth, small), 'source');
  const warning = await warningOfLength(engine, model, data, signal);
  return warning ? [warning] : [];
}

/** Makes one run of a comparison into the folder beside its output, for a process or a cluster. */
export async function compareOne(
  context: RunContext,
  request: CompareRequest,
  name: RunName,
): Promise<ComparisonRun> {
  checkRequest(request);
  const { method, seed } = name;
  if (!runsOf(request).some(run => run.method === method && run.seed === seed)) {
    throw new UsageError(
      `${method}:${seed} is no run of this comparison.`,
      'Name one of its methods and one of its seeds.',
    );
  }
  return stoppable(context, () =>
    withComparison(context, request, async comparison => {
      const { store } = comparison;
      const kept = request.resume ? await store.read(name) : undefined;
      if (kept?.state === 'finished') return kept;
      return makeAndKeep(context, comparison, name);
    }),
  );
}

/** What is said where runs were lost. */
const keptForLost = ({ store }: Comparison, lost: number): readonly Note[] =>
  lost === 0
    ? []
    : [
        {
          message: `${counted(lost, 'run')} left no result; the others are kept in ${store.folder} for now.`,
          remedy: advise`${resume()} to make what is missing, in place of this report.`,
        },
      ];

/** Checks what can be checked before the runs are made elsewhere, and makes room for them. */
export async function prepareRuns(request: CompareRequest): Promise<void> {
  checkRequest(request);
  await using model = await useModel(request.checkpoint);
  requireHead(model);
  requireGrowth(model, await resolveTarget(model, request.target));
  await makeRoom({ request, store: openRunStore(request.out, () => '') });
}

/** Throws UsageError when there are runs of an earlier comparison and nobody said what to do with them. */
async function makeRoom({ request, store }: Pick<Comparison, 'request' | 'store'>): Promise<void> {
  if (request.resume) return;
  const { ended, halfMade } = await store.count();
  const count = ended + halfMade;
  if (count > 0 && !request.overwrite) {
    throw new UsageError(
      `${store.folder} holds ${counted(count, 'run')} of an earlier comparison.`,
      advise`${resume()} to go on with it, or ${compareAnew}.`,
    );
  }
  await store.clear();
}

/** All runs in their order, and how many of them were lost; those that finished before are not made again. */
async function makeRuns(
  context: RunContext,
  comparison: Comparison,
  elsewhere: MakeElsewhere | undefined,
): Promise<{ readonly runs: readonly ComparisonRun[]; readonly lost: number }> {
  const { request, store } = comparison;
  const names = runsOf(request);
  const kept = new Map<RunName, ComparisonRun>();
  const tell = (name: RunName, run?: ComparisonRun): void =>
    report(context, {
      type: 'comparisonRun',
      ...name,
      state: run?.state ?? 'started',
      ended: kept.size,
      runs: names.length,
      ...(run?.state === 'finished' && {
        smallLoss: run.small.loss,
        lossUnit: lossUnitOf(run.small),
      }),
      ...(run?.state === 'failed' && { message: run.message }),
    });
  for (const name of names) {
    const run = await store.read(name);
    if (run?.state !== 'finished') continue;
    kept.set(name, run);
    tell(name, run);
  }
  const waiting = names.filter(name => !kept.has(name));
  const lost = new Set<ComparisonRun>();
  const make = async (name: RunName): Promise<ComparisonRun> => {
    if (!elsewhere) return makeAndKeep(context, comparison, name);
    const { run, isLost } = await fetchRun(context, comparison, name, elsewhere);
    if (isLost) lost.add(run);
    return run;
  };
  const makeNext = async (): Promise<void> => {
    for (let name = waiting.shift(); name; name = waiting.shift()) {
      try {
        context.signal.throwIfAborted();
        tell(name);
        const run = await make(name);
        kept.set(name, run);
        const ended = [...kept.values()].filter(each => !lost.has(each));
        await dropOthers(store, request, ended);
        tell(name, run);
      } catch (error) {
        // What no method is to blame for ends the comparison; runs beside this one end first.
        waiting.length = 0;
        throw error;
      }
    }
  };
  const lanes = elsewhere ? Math.min(request.parallel ?? 1, names.length) : 1;
  const ends = await Promise.allSettled(Array.from({ length: lanes }, makeNext));
  if (context.signal.aborted) throw await stopped(comparison, kept.size, names.length);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return { runs: names.map(name => kept.get(name)!), lost: lost.size };
}

/** A run that is made here, and kept if checkpoint and data are still those it was made from. */
async function makeAndKeep(
  context: RunContext,
  comparison: Comparison,
  name: RunName,
): Promise<ComparisonRun> {
  const { model, sha256, store, data } = comparison;
  const run = await makeRun(context, comparison, name);
  await model.checkpoint.requireUnchanged(sha256);
  await data.batches.requireUnchanged();
  await store.write(run);
  return run;
}

/** A run that another process makes and writes, or why it left none. */
async function fetchRun(
  { emit, signal }: RunContext,
  { store }: Comparison,
  name: RunName,
  elsewhere: MakeElsewhere,
): Promise<{ readonly run: ComparisonRun; readonly isLost: boolean }> {
  const why = await elsewhere(name, { emit, signal });
  const run = await store.read(name);
  if (run) return { run, isLost: false };
  if (why) return { run: { state: 'failed', ...name, ...why }, isLost: true };
  throw new UserError(
    `The process that made ${name.method} with seed ${name.seed} left no result.`,
    advise`${resume()}, one run at a time${by(['parallel', 1])} to see why.`,
  );
}

/** Says what a stop left, and how to go on. */
async function stopped(
  { store }: Comparison,
  ended: number,
  runs: number,
): Promise<InterruptedError> {
  const { halfMade } = await store.count();
  const goOn = advise`${resume()} to go on.`;
  if (ended > 0) {
    const more = halfMade > 0 ? ', with what was done of the next' : '';
    return new InterruptedError(
      `Stopped after ${ended} of ${counted(runs, 'run')}, which are kept in ${store.folder}${more}.`,
      goOn,
    );
  }
  const before = `Stopped before the first of ${counted(runs, 'run')} ended`;
  return halfMade > 0
    ? new InterruptedError(`${before}; what was done of it is kept in ${store.folder}.`, goOn)
    : new InterruptedError(`${before}; nothing was written.`, advise`${repeat}.`);
}
