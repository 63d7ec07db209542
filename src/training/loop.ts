import type { Batch, BatchSource } from '../data/batches';
import type { Executable, NamedData } from '../engine';
import { DeviceError, UserError } from '../errors';
import { allFinite } from '../finite';
import { runMicroBatches, type AccumulatedUpdate } from './accumulate';
import {
  isFiniteState,
  keepInMemory,
  stateTensors,
  type KeepState,
  type KeptState,
} from './keptState';
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
  /** Gives the state before the first step once more; without it a copy is kept. */
  readonly startState?: (() => Promise<NamedData>) | undefined;
  /** Steps between copies of the state that a diverging run falls back to. */
  readonly keepEvery: number;
  /** Where such copies are kept: in memory unless given. */
  readonly keep?: KeepState | undefined;
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
 * known to be finite. The executable can only be disposed of afterwards.
 */
export async function runTrainingLoop(loop: TrainingLoop): Promise<LoopResult> {
  const states = await SafeStates.from(loop);
  try {
    const result = await runSteps(loop, states);
    return result === 'diverged' ? { outcome: result, ...(await states.last()) } : result;
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return { outcome: 'failed', ...(await states.last()), failure: error };
  } finally {
    await states.forget();
  }
}

type KeptAfter = KeptState & { readonly step: number };

/** The last state whose loss is known to be finite, and a newer one whose loss is not known yet. */
class SafeStates {
  private constructor(
    private readonly executable: Executable,
    private readonly keep: KeepState,
    private safe: KeptAfter,
    private newer?: KeptAfter,
  ) {}

  static async from(loop: TrainingLoop): Promise<SafeStates> {
    const { executable, start, startState, keep = keepInMemory } = loop;
    const first: KeptState = startState
      ? { read: startState, forget: () => Promise.resolve() }
      : ((await keep(stateTensors(executable))) ?? (await keepInMemory(stateTensors(executable)))!);
    return new SafeStates(executable, keep, { step: start, ...first });
  }

  /** Keeps the state after a step; a copy of finite numbers may still have no finite loss. */
  async offer(step: number): Promise<void> {
    if (!(await isFiniteState(stateTensors(this.executable)))) return;
    const kept = await this.keep(stateTensors(this.executable));
    if (kept) this.newer = { step, ...kept };
  }

  /** Told when a step's loss was finite: so was the state before it. */
  async confirm(): Promise<void> {
    if (!this.newer) return;
    await this.safe.forget();
    this.safe = this.newer;
    this.newer = undefined;
  }

  async last(): Promise<Pick<LoopResult, 'step' | 'state'>> {
    return { step: this.safe.step, state: await this.safe.read() };
  }

  async forget(): Promise<void> {
    await this.safe.forget();
    await this.newer?.forget();
  }
}

async function runSteps(loop: TrainingLoop, states: SafeStates): Promise<LoopResult | 'diverged'> {
  const { executable, groups, schedule, signal } = loop;
  let end = loop.start;
  for (let step = loop.start; step < schedule.steps; step++) {
    if (signal.aborted) {
      return { outcome: 'interrupted', step, state: await executable.takeState() };
    }
    const started = performance.now();
    const scale = scheduleScale(schedule, step);
    const batches = await batchesOf(loop, step);
    if (batches instanceof UserError) {
      return { outcome: 'failed', step, state: await executable.takeState(), failure: batches };
    }
    const { loss, gradientNorm } = await update(loop, batches, step, scale);
    if (!Number.isFinite(loss)) return 'diverged';
    await states.confirm();
    const wish = await loop.onStep({
      step: step + 1,
      loss,
      gradientNorm,
      learningRate: Object.fromEntries(
        groups.map(group => [group.name, groupRate(group, step + 1, scale)]),
      ),
      seconds: (performance.now() - started) / 1000,
    });
    if (!Number.isFinite(gradientNorm)) return 'diverged';
    if ((step + 1) % loop.keepEvery === 0 && step + 1 < schedule.steps) {
      await states.offer(step + 1);
    }
    end = step + 1;
    if (wish === 'finish') break;
    // Lets signals and messages through: a step may block the event loop.
    await new Promise(resolve => setImmediate(resolve));
  }
  const state = await executable.takeState();
  if (!Object.values(state).every(allFinite)) return 'diverged';
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
