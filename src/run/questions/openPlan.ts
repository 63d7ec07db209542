import { methodOf } from '../../growth/methods';
import type { PlanQuestion } from '../../protocol/service';
import { ligoSettings } from '../settings';

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
    import('../open/model'),
    import('../plan/plan'),
    import('../open/data'),
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
