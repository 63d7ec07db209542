import { DivergedError, UserError } from '../../errors';
import type { GrownRun } from '../../protocol/comparison';
import { report, type RunContext } from '../context';
import { isLearned, makeLarge } from '../grow/makeLarge';
import { untilAborted, valuesById } from '../write/parameterValues';
import { asWritten } from '../write/storedTypes';
import type { RunData } from '../score/runData';
import { stoppable } from '../stop/stop';
import type { TakenUp } from './halfMadeRun';
import type { Comparison } from './open';
import { countedSizes, paperFlopsPerStep } from './paperFlops';
import { keepsModels } from './keep';
import { growthSettings, type RunName } from './request';
import { by } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** One run with the data in the order of its seed. */
export interface OwnRun {
  readonly comparison: Comparison;
  readonly name: RunName;
  readonly data: RunData;
  readonly takenUp: TakenUp;
}

/** The large model that a method made, every used parameter by id, and what that took. */
export interface GrownModel {
  readonly tensors: Readonly<Record<string, Float32Array>>;
  readonly grown: GrownRun;
}

/** Grows by a method, on from where its learning was stopped; a stop saves the learning. */
export async function growRun(context: RunContext, own: OwnRun): Promise<GrownModel> {
  const { comparison, name, data, takenUp } = own;
  const { growth, request, store } = comparison;
  const settings = growthSettings(request, name.method);
  const warnings: string[] = [];
  let learned = takenUp.growthSeconds ?? 0;
  /** After which step a state was saved. */
  let saved: number | undefined;
  const watching: RunContext = {
    ...context,
    emit: event => {
      if (event.type === 'saved') saved = event.step;
      if (event.type === 'warning') warnings.push(event.message);
      if (event.type !== 'step') return;
      learned += event.seconds;
      const { step, steps, loss } = event;
      report(context, {
        type: 'comparison',
        ...name,
        phase: 'growth',
        step,
        steps,
        loss,
        flops: step * event.flops,
        seconds: learned,
      });
    },
    // A run may be paused between steps, but ends when all the others do.
    betweenSteps: async () => {
      await context.betweenSteps?.();
    },
  };
  const make = async (onTrained: Parameters<Parameters<typeof stoppable>[1]>[0]) => {
    await using large = await makeLarge(watching, {
      ...comparison,
      ...name,
      settings,
      openData: data,
      onTrained,
      out: store.stateOut(name, 'growth'),
      resume: takenUp.growthSeconds !== undefined,
      fingerprint: store.fingerprintOf(name),
    });
    const started = performance.now();
    const values = untilAborted(context.signal, large.values);
    // What is never trained is part of a model that is kept.
    const tensors = await valuesById(growth.target, values, { unused: keepsModels(request) });
    const seconds = learned + (performance.now() - started) / 1000;
    const kept = asWritten(comparison.model, ({ id }) => Promise.resolve(tensors[id]!));
    return { tensors, seconds, measured: await large.measure(kept) };
  };
  try {
    const { tensors, seconds, measured } = await stoppable(watching, make);
    const steps = isLearned(name.method) ? settings.steps : 0;
    return {
      tensors,
      grown: {
        small: measured.losses!.small,
        ...(measured.parity && { parity: measured.parity }),
        growth: {
          steps,
          flops: measured.flops?.total ?? 0,
          paperFlops: steps * paperFlopsOfStep(own),
          seconds,
        },
        warnings,
      },
    };
  } catch (error) {
    if (context.signal.aborted || saved === undefined) throw error;
    throw withoutState(error, saved);
  }
}

/** By the paper's count, of one step of learning operators. */
function paperFlopsOfStep({ comparison: { growth }, data: { shape } }: OwnRun): number {
  const { numHiddenLayers: layers, hiddenSize: hidden } = growth.source.dimensions;
  return paperFlopsPerStep(countedSizes(growth.target, shape), shape.batchSize, {
    layers,
    hidden,
  });
}

/** Why learning failed, without word of its state, which goes with the run. */
function withoutState(error: unknown, step: number): unknown {
  if (!(error instanceof UserError)) return error;
  return error.cause instanceof UserError ? error.cause : diverged(step, 'learning operators');
}

/** For a loss that is no number. */
export const diverged = (step: number, doing: string): UserError =>
  new DivergedError(
    `The loss stopped being a number after step ${step} of ${doing}.`,
    advise`Lower the learning rate${by('trainingRate')} or lengthen the warm-up${by('warmup')}.`,
  );
