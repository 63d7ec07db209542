import { UsageError, type Note } from '../../errors';
import { copiesOf, sourceValues, type Growth, type GrowthMethodName } from '../../growth';
import type { GgufType } from '../../protocol/conversion';
import type { Receipt } from '../../protocol/events';
import { copyCompanions, type Companions } from '../write/companions';
import { collectWarnings, report, warn, type RunContext } from '../context';
import { requireGguf } from '../convert/ggufBeside';
import type { DataOptions } from '../open/openData';
import { writeOperators } from './grownParameters';
import { momentGrower } from './grownMoments';
import { writeGrownGguf } from './grownGguf';
import { isLearned, makeLarge, requireMethod, type MakeLarge } from './makeLarge';
import { readSmallValues, type Model } from '../open/model';
import { findOptimizerState, type StateWish } from '../open/optimizerState';
import { warningOfLength } from '../score/positionLosses';
import { requireGrowth, requireHead, resolveTarget, type Target } from '../plan/plan';
import { growthReceipt, writeReceipt } from '../write/receipt';
import { useEngine, useModel, withOutput } from '../open/resources';
import { useData } from '../score/runData';
import { removeRunState } from '../stop/runState';
import { plainModel } from '../score/scoring';
import type { LigoSettings } from '../settings';
import { stoppable } from '../stop/stop';
import { writeOptimizerState } from '../write/optimizerState';
import { untilAborted } from '../write/parameterValues';
import { writeModel } from '../write/writeModel';
import { leaveOut, set, startAnew } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** The main job. */
export interface GrowRequest {
  readonly checkpoint: string;
  readonly target: Target;
  readonly out: string;
  readonly method: GrowthMethodName;
  /** Needed to learn and to measure; methods without learning do without. */
  readonly data?: DataOptions | undefined;
  readonly settings: LigoSettings;
  readonly seed: number;
  readonly resume?: boolean;
  /** Steps between saves of a state that --resume goes on from; only a stop saves by default. */
  readonly saveEvery?: number | undefined;
  /** Whether the optimizer's state beside the checkpoint grows too; where that can be by default. */
  readonly optimizerState?: StateWish;
  /** Writes the grown model as a GGUF file, too. */
  readonly gguf?: GgufType | undefined;
  readonly overwrite?: boolean;
  readonly maxShardBytes?: number | undefined;
}

/**
 * Grows a checkpoint: opens, plans, learns, measures, writes, leaves a receipt. Nothing is written
 * unless all of it succeeded. Throws UserError for whatever a person can mend.
 */
export async function grow(caller: RunContext, request: GrowRequest): Promise<Receipt> {
  const { context, warnings } = collectWarnings(caller);
  await using model = await useModel(request.checkpoint);
  warn(context, model.notes);
  const { growth, notes } = await requireRequest(model, request);
  warn(context, notes);
  const receipt = await stoppable(context, onTrained =>
    withOutput(request.out, request.overwrite ?? false, async directory => {
      const companions = await copyCompanions(model.checkpoint, directory);
      await using started = await useEngine(context);
      const { engine, memory } = started;
      const task = {
        ...request,
        model,
        growth,
        engine,
        memory,
        onTrained,
        warnings,
        companions,
      };
      if (!request.data)
        return await growInto(directory, context, { ...task, openData: undefined });
      await using openData = await useData(engine, model, request.data);
      return await growInto(directory, context, { ...task, openData });
    }),
  );
  await removeRunState(request.out);
  report(context, { type: 'done', out: request.out, receipt });
  return receipt;
}

/** Throws what speaks against a growth, before anything is computed or written. */
export async function checkGrowth(request: GrowRequest): Promise<void> {
  await using model = await useModel(request.checkpoint);
  await requireRequest(model, request);
}

async function requireRequest(
  model: Model,
  request: GrowRequest,
): Promise<{ readonly growth: Growth; readonly notes: readonly Note[] }> {
  if (request.resume && !isLearned(request.method)) {
    throw new UsageError(
      `The method ${request.method} takes no steps, so there is nothing to resume.`,
      advise`${startAnew}.`,
    );
  }
  if (request.saveEvery !== undefined && !isLearned(request.method)) {
    throw new UsageError(
      `The method ${request.method} takes no steps, so there is nothing to save on the way.`,
      advise`${leaveOut('saveEvery')}.`,
    );
  }
  const target = await resolveTarget(model, request.target);
  const growth = requireGrowth(model, target);
  requireMethod(request.method, growth);
  if (isLearned(request.method)) {
    requireHead(model);
    if (!request.data)
      throw new UsageError('Learning operators needs data.', advise`${set('data')}.`);
  }
  if (request.gguf) await requireGguf(model, request.gguf, growth.target);
  return { growth, notes: target.notes };
}

async function growInto(
  directory: string,
  context: RunContext,
  task: Omit<MakeLarge, 'small' | 'sha256'> &
    GrowRequest & {
      readonly model: Model;
      readonly companions: Companions;
      readonly warnings: readonly Note[];
    },
): Promise<Receipt> {
  warn(context, task.openData?.notes ?? []);
  const { model, growth, companions } = task;
  await companions.requireSame();
  const small = await readSmallValues(model, growth);
  const sha256 = await model.checkpoint.sha256();
  const copies = copiesOf(task.method, growth, task.seed);
  const found = await findOptimizerState(
    model,
    () => Promise.resolve(sha256),
    task.optimizerState,
    () =>
      copies
        ? undefined
        : `What the optimizer knew does not follow to weights that ${task.method} makes.`,
  );
  await using state = found.state;
  warn(context, found.notes);
  if (task.openData && model.architecture.head !== 'none') {
    const scored = plainModel(growth.source, sourceValues(growth, small), 'source');
    const { signal } = context;
    const tooLong = await warningOfLength(task.engine, scored, task.openData, signal);
    if (tooLong) warn(context, [tooLong]);
  }
  await using outcome = await makeLarge(context, { ...task, small, sha256, scratch: directory });
  const values = untilAborted(context.signal, outcome.values);
  await using written = await writeModel(directory, model, growth.target, values, task);
  const measured = await outcome.measure(untilAborted(context.signal, written.values));
  const { operators, freshness } = outcome;
  if (state && copies) {
    const grown = { updates: state.updates, values: momentGrower(growth, copies, state) };
    await writeOptimizerState(directory, growth.target, grown, await written.sha256(), task);
  }
  if (operators) await writeOperators(directory, growth, { operators, freshness }, sha256);
  const gguf = await writeGrownGguf(context, directory, task);
  await model.checkpoint.requireUnchanged(sha256);
  const touched = await task.openData?.batches.requireUnchanged();
  warn(context, [...(await companions.notes()), ...(touched ?? [])]);
  context.signal.throwIfAborted();
  const learned = isLearned(task.method);
  const receipt = growthReceipt({
    model,
    growth,
    sha256,
    companions: companions.files,
    created: context.now(),
    method: { name: task.method, settings: learned ? { ...task.settings } : {} },
    seed: task.seed,
    steps: learned ? task.settings.steps : 0,
    data: task.openData && {
      data: task.openData,
      path: task.data?.data ?? '',
      separator: task.openData.separator,
      separatorNote: task.openData.separatorNote,
    },
    engine: task.engine.description,
    optimizerState: state && { updates: state.updates, sha256: state.sha256 },
    gguf,
    measured,
    warnings: task.warnings,
  });
  await writeReceipt(directory, receipt);
  return receipt;
}
