import type { GrowthMethodName } from '../../growth/methods';
import type { GgufType } from '../../protocol/conversion';
import type { GrowthPlan } from '../../protocol/events';
import type { RunContext } from '../context';
import { ggufRefusals } from '../convert/ggufBeside';
import type { DataOptions } from '../open/openData';
import type { LearningEstimate } from '../plan/estimate';
import type { Target } from '../plan/plan';
import type { LigoSettings } from '../settings';
import type { Unworded } from '../../remedy/worded';

/** A plan with what it would take on this machine. */
export interface TimedPlan extends GrowthPlan {
  /** Why a step does not fit the device; nothing was tried then. */
  readonly memoryRefusal?: { readonly reason: string; readonly remedy: string };
  /** By short measurements on the engine; absent where nothing would be trained. */
  readonly estimate?: LearningEstimate & {
    readonly engine: string;
    readonly device: string;
    /** Why this engine, on one line. */
    readonly reason: string;
    readonly seconds: number;
  };
}

/** What a growth would do and cost, and how long it takes on the engine. */
export async function timedPlan(
  context: RunContext,
  task: {
    checkpoint: string;
    target: Target;
    method: GrowthMethodName;
    settings: LigoSettings;
    gguf?: GgufType | undefined;
  },
  batch: Pick<DataOptions, 'batchSize' | 'sequenceLength'>,
): Promise<Unworded<TimedPlan>> {
  const [
    { useModel, useEngine },
    { learningRefusal },
    { processBytes },
    { learningCost, planGrowth, requireGrowth, resolveTarget, withMethod },
    data,
    estimate,
  ] = await Promise.all([
    import('../open/resources'),
    import('../plan/learningMemory'),
    import('../plan/processMemory'),
    import('../plan/plan'),
    import('../open/data'),
    import('../plan/estimate'),
  ]);
  await using model = await useModel(task.checkpoint);
  const resolved = await withMethod(model, await resolveTarget(model, task.target), task.method);
  const shape = data.batchShape(model.architecture, batch);
  const plan = planGrowth(model, resolved, task.settings, shape);
  if (plan.refusals.length > 0) return plan;
  const growth = requireGrowth(model, resolved);
  const refusals = await ggufRefusals(model, task.gguf, growth.target);
  if (refusals.length > 0) return { ...plan, refusals };
  if (!plan.cost) return plan;
  const { cost: planned } = plan;
  await using started = await useEngine(context);
  const { engine, memory, reason } = started;
  const { settings } = task;
  const { name, device } = engine.description;
  const own = { ...plan, cost: { ...planned, processBytes: processBytes(name, planned) } };
  const refusal = learningRefusal(growth, settings, shape, {
    engine: name,
    memory,
    cost: planned,
  });
  if (refusal) {
    return { ...own, memoryRefusal: { reason: refusal.message, remedy: refusal.remedy } };
  }
  const cost = learningCost(growth, settings, shape);
  const step = await estimate.estimateStep(engine, growth, settings, shape, cost);
  const seconds = step.secondsPerStep * settings.steps;
  return { ...own, estimate: { engine: name, device, reason, ...step, seconds } };
}
