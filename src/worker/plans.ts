import type { EngineOutlook, PlanQuestion, Service } from '../protocol/service';
import { defaultLigoSettings, defaultWarmup } from '../run/settings';

/** A model opened for a plan, with what plans are made of; loaded only when one is asked for. */
export async function openPlan({
  checkpoint,
  target,
  steps,
  batchSize,
  sequenceLength,
}: PlanQuestion) {
  const [{ openModel }, plan, { batchShape }] = await Promise.all([
    import('../run/model'),
    import('../run/plan'),
    import('../run/data'),
  ]);
  const model = await openModel(checkpoint);
  const close = () => model.checkpoint.close();
  try {
    return {
      ...plan,
      model,
      close,
      resolved: await plan.resolveTarget(model, target),
      settings: { ...defaultLigoSettings, steps, warmup: defaultWarmup(steps) },
      shape: batchShape(model.architecture, { batchSize, sequenceLength }),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The engine that a growth would compute on, and how long a step takes there. */
export async function engineOutlook(
  question: Parameters<Service['outlook']>[0],
): Promise<EngineOutlook> {
  const { engine: choice, threads, learns } = question;
  const { openEngine } = await import('../engine/open');
  const { engine, reason, memory } = await openEngine({ engine: choice, threads });
  try {
    const { name, device } = engine.description;
    if (!learns) return { name, reason };
    const { planGrowth, requireGrowth, resolved, model, settings, shape, close } =
      await openPlan(question);
    try {
      const { memoryRefusal } = await import('../run/resources');
      const { cost } = planGrowth(model, resolved, settings, shape);
      const refused = cost && memoryRefusal(cost.peakBytes, memory);
      if (refused) {
        return { name, reason, refusal: { reason: refused.message, remedy: refused.remedy } };
      }
      const { estimateStep } = await import('../run/estimate');
      const growth = requireGrowth(model, resolved);
      const estimate = await estimateStep(engine, growth, settings, shape);
      return { name, reason, estimate: { ...estimate, device } };
    } finally {
      await close();
    }
  } finally {
    await engine.dispose();
  }
}
