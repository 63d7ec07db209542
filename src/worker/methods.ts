import type { ComparisonPlan, MethodOffer, Service } from '../protocol/service';
import { openPlan } from './plans';
import { methodOf } from './request';

/** Every method with what speaks against it for one growth. */
export async function offerMethods(
  question: Parameters<Service['methods']>[0],
): Promise<readonly MethodOffer[]> {
  const [{ growthMethods }, { usualMethods, yardstick }] = await Promise.all([
    import('../growth/methods'),
    import('../run/compare/request'),
  ]);
  const { model, resolved, requireGrowth, close } = await openPlan({ ...question, steps: 1 });
  try {
    // What the target itself is refused for, the plan tells.
    const growth = resolved.refusals.length > 0 ? undefined : requireGrowth(model, resolved);
    return growthMethods.map(method => {
      const { name, title, does, preserves, needsData } = method;
      return {
        ...{ name, title, does, preserves, needsData },
        isYardstick: name === yardstick,
        isUsual: usualMethods.includes(name),
        refusals: (growth && method.refusals?.(growth)) ?? [],
      };
    });
  } finally {
    await close();
  }
}

/** How many runs a comparison makes, and what they compute. */
export async function comparisonPlan(
  question: Parameters<Service['comparisonPlan']>[0],
): Promise<ComparisonPlan> {
  const { methods, seeds, steps } = question;
  const [{ growthMethod }, { usualGrowthSteps, yardstick }, { prepareStages }, settings] =
    await Promise.all([
      import('../growth/methods'),
      import('../run/compare/request'),
      import('../run/trainingStages'),
      import('../run/settings'),
    ]);
  const compared = new Set([yardstick, ...methods.map(methodOf)]);
  const runs = compared.size * seeds.length;
  const plans = await openPlan({ ...question, steps: usualGrowthSteps });
  const { model, resolved, shape, requireGrowth, requireHead, planGrowth, close } = plans;
  try {
    const growth = planGrowth(model, resolved, plans.settings, shape);
    if (growth.refusals.length > 0) return { growth, runs };
    requireHead(model);
    const training = {
      ...settings.defaultTrainSettings,
      ...{ steps, warmup: settings.defaultWarmup(steps) },
    };
    const [trained] = prepareStages(requireGrowth(model, resolved).target, training, shape);
    const learned = [...compared].filter(name => growthMethod(name).making.kind === 'learned');
    const flops =
      compared.size * steps * trained!.flopsPerStep + learned.length * (growth.cost?.flops ?? 0);
    return { growth, runs, flops: flops * seeds.length };
  } finally {
    await close();
  }
}
