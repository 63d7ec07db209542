import { yardstick } from '../../protocol/comparison';
import type { MethodOffer, Service } from '../../protocol/service';
import { openPlan } from './openPlan';
import type { Unworded } from '../../remedy/worded';

/** Every method with what speaks against it for one growth. */
export async function offerMethods(
  question: Parameters<Service['methods']>[0],
): Promise<readonly Unworded<MethodOffer>[]> {
  const [{ growthMethods }, { usualMethods }] = await Promise.all([
    import('../../growth/methods'),
    import('../compare/request'),
  ]);
  await using plans = await openPlan({ ...question, steps: 1 });
  const { model, asked, withMethod } = plans;
  const offers: Unworded<MethodOffer>[] = [];
  for (const { name, title, does, preserves, needsData } of growthMethods) {
    offers.push({
      name,
      title,
      does,
      preserves,
      needsData,
      isYardstick: name === yardstick,
      isUsual: usualMethods.includes(name),
      // What the target itself is refused for, the plan tells.
      refusals: asked.refusals.length > 0 ? [] : (await withMethod(model, asked, name)).refusals,
    });
  }
  return offers;
}
