import type { Batch, BatchSource } from '../data/batches';
import type { Executable, NamedData } from '../engine';
import { DeviceError, UserError } from '../errors';
import { runMicroBatches, type AccumulatedUpdate } from './accumulate';
import {
  groupRate,
  optimizerFeeds,
  type AdamWOptions,
  type MicroBatch,
  type ParameterGroup,
} from './optimizer';
import { scheduleScale, type Schedule } from './schedule';

/** What one step did. */
export interface StepReport {
  /** Updates made so far: 1 after the first. */
  readonly step: number;
  /** On this step's batch, before the update. */
  readonly loss: number;
  readonly gradientNorm: number;
  readonly learningRate: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/** Everything a training loop needs; all of it is given, nothing is global. */
export interface TrainingLoop {
  readonly executable: Executable;
  readonly batches: BatchSource;
  readonly groups: readonly ParameterGroup[];
  readonly optimizer: AdamWOptions;
  readonly schedule: Schedule;
  /** Batches whose gradients make one update; more than 1 for a program that accumulates. */
  readonly batchesPerUpdate?: number;
  /** Updates already made: 0 for a fresh run. */
  readonly start: number;
  /** Steps between copies of the state that a diverging run falls back to. */
  readonly keepEvery: number;
  /** Stops the loop between steps. */
  readonly signal: AbortSignal;
  /** Awaited after every step; may read state, may take its time. `'finish'` ends the loop here. */
  readonly onStep: (report: StepReport) => Promise<'finish' | void> | 'finish' | void;
}

/** How a loop ended. `state` holds parameters and moments after `step` updates. */
export interface LoopResult {
  readonly outcome: 'finished' | 'interrupted' | 'diverged' | 'failed';
  readonly step: number;
  readonly state: NamedData;
  /** Why the device failed, or a batch could not be read. */
  readonly failure?: UserError;
}

/**
 * Runs steps until the schedule ends, the signal aborts, the loss is no number, a batch cannot be read or
 * the device fails. A run that diverged or whose device failed gives back the last state whose loss was
 * known to be finite.
 */
export async function runTrainingLoop(loop: TrainingLoop): Promise<LoopResult> {
  const safe = { kept: { step: loop.start, state: await loop.executable.readState() } };
  try {
    return await runSteps(loop, safe);
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return { outcome: 'failed', ...safe.kept, failure: error };
  }
}

/** The last state whose loss is known to be finite. */
interface SafeState {
  kept: { readonly step: number; readonly state: NamedData };
}

async function runSteps(loop: TrainingLoop, safe: SafeState): Promise<LoopResult> {
  const { executable, groups, schedule, signal } = loop;
  // A copy of finite numbers may still have no finite loss, which only the next step tells.
  let copied: SafeState['kept'] | undefined;
  let end = loop.start;
  for (let step = loop.start; step < schedule.steps; step++) {
    if (signal.aborted) {
      return { outcome: 'interrupted', step, state: await executable.readState() };
    }
    const started = performance.now();
    const scale = scheduleScale(schedule, step);
    const batches = await batchesOf(loop, step);
    if (batches instanceof UserError) {
      const state = await executable.readState();
      return { outcome: 'failed', step, state, failure: batches };
    }
    const { loss, gradientNorm } = await update(loop, batches, step, scale);
    if (!Number.isFinite(loss)) return { outcome: 'diverged', ...safe.kept };
    safe.kept = copied ?? safe.kept;
    const wish = await loop.onStep({
      step: step + 1,
      loss,
      gradientNorm,
      learningRate: Object.fromEntries(
        groups.map(group => [group.name, groupRate(group, step + 1, scale)]),
      ),
      seconds: (performance.now() - started) / 1000,
    });
    if (!Number.isFinite(gradientNorm)) return { outcome: 'diverged', ...safe.kept };
    if ((step + 1) % loop.keepEvery === 0 && step + 1 < schedule.steps) {
      const state = await executable.readState();
      if (isFinite(state)) copied = { step: step + 1, state };
    }
    end = step + 1;
    if (wish === 'finish') break;
    // Lets signals and messages through: a step may block the event loop.
    await new Promise(resolve => setImmediate(resolve));
  }
  const state = await executable.readState();
  if (!isFinite(state)) return { outcome: 'diverged', ...safe.kept };
  return { outcome: 'finished', step: end, state };
}

/** The batches that make an update together, or why they cannot be read. */
async function batchesOf(
  { batches, batchesPerUpdate = 1 }: TrainingLoop,
  step: number,
): Promise<readonly Batch[] | UserError> {
  const first = step * batchesPerUpdate;
  const numbers = Array.from({ length: batchesPerUpdate }, (_, index) => first + index);
  try {
    return await Promise.all(numbers.map(number => batches.train(number)));
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

/** One update from one batch, or from as many as make one together. */
async function update(
  { executable, groups, optimizer }: TrainingLoop,
  batches: readonly Batch[],
  step: number,
  scale: number,
): Promise<AccumulatedUpdate> {
  const feeds = (part?: MicroBatch) => optimizerFeeds(groups, optimizer, step + 1, scale, part);
  if (batches.length > 1) return runMicroBatches(executable, batches, feeds);
  const outputs = await executable.run({ ...batches[0]!, ...feeds() });
  return { loss: outputs['loss']![0]!, gradientNorm: outputs['gradientNorm']![0]! };
}

/** True when no value is NaN or infinite. */
function isFinite(state: NamedData): boolean {
  return Object.values(state).every(data => data.every(value => Number.isFinite(value)));
}
