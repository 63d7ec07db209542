import type { DeviceMemory, Engine } from '../../engine';
import type { UserError } from '../../errors';
import type { Growth } from '../../growth';
import type { EngineOutlook, Service } from '../../protocol/service';
import type { BatchShape } from '../../training';
import type { StepEstimate } from '../plan/estimate';
import type { LigoSettings } from '../settings';
import { openPlan } from './openPlan';
import type { Unworded } from '../../remedy/worded';

type OutlookQuestion = Parameters<Service['outlook']>[0];

/** The engine that a growth or a comparison would compute on, and how long a step takes there. */
export async function engineOutlook(question: OutlookQuestion): Promise<Unworded<EngineOutlook>> {
  const { engine: choice, threads, learns, methods } = question;
  const [{ openEngine }, { usedEngine }] = await Promise.all([
    import('../../engine/open'),
    import('../open/resources'),
  ]);
  await using started = usedEngine(await openEngine({ engine: choice, threads }));
  const { engine, reason, memory } = started;
  const { name, device } = engine.description;
  if (!learns && !methods) return { name, reason };
  await using plans = await openPlan(question);
  const growth = plans.requireGrowth(plans.model, plans.resolved);
  const { estimate, refusal } = await timedStep(growth, question, plans);
  const refused = await refusal(name, memory);
  if (refused) {
    return { name, reason, refusal: { reason: refused.message, remedy: refused.remedy } };
  }
  return { name, reason, estimate: { ...(await estimate(engine)), device } };
}

/** The step that tells how long a run takes, and whether the run fits. */
async function timedStep(
  growth: Growth,
  { methods, steps }: Pick<OutlookQuestion, 'methods' | 'steps'>,
  { settings, shape }: { readonly settings: LigoSettings; readonly shape: BatchShape },
): Promise<{
  readonly estimate: (engine: Engine) => Promise<StepEstimate>;
  /** Why the run does not fit the memory of an engine. */
  readonly refusal: (engine: string, memory: DeviceMemory) => Promise<UserError | undefined>;
}> {
  const { estimateProgram, estimateStep } = await import('../plan/estimate');
  if (methods) {
    const { comparedCost } = await import('./comparedCost');
    const { step, steps: made } = await comparedCost(growth, methods, { steps, shape });
    const { cost, build } = step;
    const [{ memoryRefusal }, { mostTaken }] = await Promise.all([
      import('../plan/memoryRefusal'),
      import('../plan/processMemory'),
    ]);
    return {
      estimate: engine => estimateProgram(engine, growth, cost, build),
      refusal: (engine, memory) =>
        Promise.resolve(memoryRefusal(mostTaken(engine, made, memory), memory)),
    };
  }
  const { learningCost } = await import('../plan/plan');
  const cost = learningCost(growth, settings, shape);
  return {
    estimate: engine => estimateStep(engine, growth, settings, shape, cost),
    refusal: async (engine, memory) => {
      const { learningRefusal } = await import('../plan/learningMemory');
      return learningRefusal(growth, settings, shape, { engine, memory, cost });
    },
  };
}
