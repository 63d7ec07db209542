import { yardstick } from '../protocol/comparison';
import type { MethodOffer, Service } from '../protocol/service';
import { openPlan } from './plans';

/** Every method with what speaks against it for one growth. */
export async function offerMethods(
  question: Parameters<Service['methods']>[0],
): Promise<readonly MethodOffer[]> {
  const [{ growthMethods }, { usualMethods }] = await Promise.all([
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
