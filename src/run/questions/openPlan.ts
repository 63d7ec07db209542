import { methodNameOf } from '../../growth/methods';
import type { PlanQuestion } from '../../protocol/service';
import { ligoSettings } from '../settings';

/**
 * A model opened for a plan until the end of the block which has it, with what plans are made of; loaded
 * only when one is asked for.
 */
export async function openPlan({
  checkpoint,
  target,
  method = 'ligo',
  steps,
  batchSize,
  sequenceLength,
  ...options
}: PlanQuestion) {
  const [{ useModel }, plan, { batchShape }] = await Promise.all([
    import('../open/resources'),
    import('../plan/plan'),
    import('../open/data'),
  ]);
  const model = await useModel(checkpoint);
  const close = () => model[Symbol.asyncDispose]();
  try {
    const learning = methodNameOf(method);
    const asked = await plan.resolveTarget(model, target);
    return {
      ...plan,
      model,
      [Symbol.asyncDispose]: close,
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
