import type { EngineOutlook, PlanQuestion, Service } from '../protocol/service';
import type { DeviceMemory, Engine } from '../engine';
import type { UserError } from '../errors';
import type { Growth } from '../growth';
import type { StepEstimate } from '../run/plan/estimate';
import { ligoSettings, type LigoSettings } from '../run/settings';
import type { BatchShape } from '../training';
import { inEditor } from './failure';
import { methodOf } from './request';

type OutlookQuestion = Parameters<Service['outlook']>[0];

/** A model opened for a plan, with what plans are made of; loaded only when one is asked for. */
export async function openPlan({
  checkpoint,
  target,
  method = 'ligo',
  steps,
  batchSize,
  sequenceLength,
  ...options
}: PlanQuestion) {
  const [{ openModel }, plan, { batchShape }] = await Promise.all([
    import('../run/open/model'),
    import('../run/plan/plan'),
    import('../run/open/data'),
  ]);
  const model = await openModel(checkpoint);
  const close = () => model.checkpoint.close();
  try {
    const learning = methodOf(method);
    const asked = await plan.resolveTarget(model, target);
    return {
      ...plan,
      model,
      close,
      /** The target whatever the method. */
      asked,
      resolved: await plan.withMethod(model, asked, learning),
      settings: ligoSettings(learning, { ...options, steps }),
      shape: batchShape(model.architecture, { batchSize, sequenceLength }),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The engine that a growth or a comparison would compute on, and how long a step takes there. */
export async function engineOutlook(question: OutlookQuestion): Promise<EngineOutlook> {
  const { engine: choice, threads, learns, methods } = question;
  const { openEngine } = await import('../engine/open');
  const { engine, reason, memory } = await openEngine({ engine: choice, threads });
  try {
    const { name, device } = engine.description;
    if (!learns && !methods) return { name, reason };
    const { requireGrowth, resolved, model, close, ...plans } = await openPlan(question);
    try {
      const growth = requireGrowth(model, resolved);
      const { estimate, refusal } = await timedStep(growth, question, plans);
      const refused = await refusal(name, memory);
      if (refused) {
        return {
          name,
          reason,
          refusal: { reason: refused.message, remedy: inEditor(refused.remedy) },
        };
      }
      return { name, reason, estimate: { ...(await estimate(engine)), device } };
    } finally {
      await close();
    }
  } finally {
    await engine.dispose();
  }
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
  const { estimateProgram, estimateStep } = await import('../run/plan/estimate');
  if (methods) {
    const { comparedCost } = await import('./comparedCost');
    const { step, steps: made } = await comparedCost(growth, methods, { steps, shape });
    const { cost, build } = step;
    const [{ memoryRefusal }, { mostTaken }] = await Promise.all([
      import('../run/plan/memoryRefusal'),
      import('../run/plan/processMemory'),
    ]);
    return {
      estimate: engine => estimateProgram(engine, growth, cost, build),
      refusal: (engine, memory) =>
        Promise.resolve(memoryRefusal(mostTaken(engine, made, memory), memory)),
    };
  }
  const { learningCost } = await import('../run/plan/plan');
  const cost = learningCost(growth, settings, shape);
  return {
    estimate: engine => estimateStep(engine, growth, settings, shape, cost),
    refusal: async (engine, memory) => {
      const { learningRefusal } = await import('../run/plan/learningMemory');
      return learningRefusal(growth, settings, shape, { engine, memory, cost });
    },
  };
}

/** Parameters of a checkpoint grown to each of some sizes; undefined where it cannot grow so. */
export async function grownParameters({
  checkpoint,
  targets,
}: Parameters<Service['parameters']>[0]): Promise<readonly (number | undefined)[]> {
  const [{ openModel, summarize }, { requireGrowth, resolveTarget }] = await Promise.all([
    import('../run/open/model'),
    import('../run/plan/plan'),
  ]);
  const model = await openModel(checkpoint);
  try {
    const counts: (number | undefined)[] = [];
    for (const target of targets) {
      const resolved = await resolveTarget(model, target);
      counts.push(
        resolved.refusals.length > 0
          ? undefined
          : summarize(requireGrowth(model, resolved).target).parameters,
      );
    }
    return counts;
  } finally {
    await model.checkpoint.close();
  }
}
