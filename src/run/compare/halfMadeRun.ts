import * as z from 'zod/mini';
import { CorruptFileError, UserError, type Note } from '../../errors';
import type { GrownRun } from '../../protocol/comparison';
import { grownRun } from '../../protocol/comparisonSchemas';
import { report, type RunContext } from '../context';
import { removeRunState, runStateFolder, saveRunState } from '../stop/runState';
import type { TrainingState } from '../train/trainModel';
import type { Comparison } from './open';
import type { RunName } from './request';
import { damaged, type RunStore } from './runStore';

/** A run whose growth is done, with all that its training needs to go on. */
export interface HalfMadeRun {
  readonly grown: GrownRun;
  readonly training: TrainingState;
  /** Digest of the training batches it was given. */
  readonly fed: string;
}

/** How far a run had come when it was last saved; nothing of it where both are absent. */
export interface TakenUp {
  /** Seconds that its growth had learned for; the growth goes on from its own state. */
  readonly growthSeconds?: number;
  readonly halfMade?: HalfMadeRun;
}

const details = z.object({ grown: grownRun, fed: z.string() });

/**
 * What a stopped comparison left of a run, where it is to be resumed. A damaged state is told, and
 * the run is made anew. Throws UserError when it is of a comparison with other settings.
 */
export async function takeUp(
  context: RunContext,
  { request, store }: Comparison,
  name: RunName,
): Promise<TakenUp> {
  try {
    if (request.resume) return await readHalf(store, name);
  } catch (error) {
    if (!(error instanceof CorruptFileError)) throw error;
    const remedy = `The run of ${name.method} with seed ${name.seed} is made anew.`;
    report(context, { type: 'warning', message: error.message, remedy });
  }
  await store.removeStates(name);
  return {};
}

async function readHalf(store: RunStore, name: RunName): Promise<TakenUp> {
  const state = await store.readState(name, 'training');
  if (!state) {
    const growth = await store.readState(name, 'growth');
    return growth ? { growthSeconds: growth.seconds } : {};
  }
  const parsed = details.safeParse(state.details);
  const { step, seconds, tensors, curve } = state;
  if (!parsed.success || !curve) {
    throw damaged(runStateFolder(store.stateOut(name, 'training')), parsed.error);
  }
  return { halfMade: { ...parsed.data, training: { step, seconds, tensors, curve } } };
}

/** Milliseconds of a run that a killed process may lose, and the time from one evaluation to the next. */
const saveInterval = 60_000;

/** Keeps how far the training of a run has come. */
export interface RunSaver {
  /** Saves, unless that was done a moment ago. */
  soon(run: HalfMadeRun): Promise<void>;
  now(run: HalfMadeRun): Promise<void>;
}

/**
 * Saves a run on its way. A disk that refuses is told once and stops nothing: what was saved before
 * stays.
 */
export function runSaver(context: RunContext, { store }: Comparison, name: RunName): RunSaver {
  let saved = context.now();
  let refused = false;
  const now = async ({ grown, fed, training }: HalfMadeRun): Promise<void> => {
    saved = context.now();
    try {
      await saveRunState(store.stateOut(name, 'training'), {
        ...training,
        fingerprint: store.fingerprintOf(name),
        details: { grown, fed },
      });
      // What was learned is in the weights that train now.
      await removeRunState(store.stateOut(name, 'growth'));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (!refused) report(context, { type: 'warning', ...unsaved(name, error) });
      refused = true;
    }
  };
  return {
    now,
    soon: async run => {
      if (context.now() - saved >= saveInterval) await now(run);
    },
  };
}

/** Says that a run cannot be gone on with where it stands. */
export const unsaved = ({ method, seed }: RunName, { message, remedy }: UserError): Note => ({
  message: `How far ${method} with seed ${seed} has come could not be saved: ${message}`,
  remedy,
});
