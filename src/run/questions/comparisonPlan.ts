import type { ComparisonPlan, Service } from '../../protocol/service';
import { comparedCost, comparedMethods, learns } from './comparedCost';
import { openPlan } from './openPlan';
import type { Unworded } from '../../remedy/worded';

/** How many runs a comparison makes, and what they compute. */
export async function comparisonPlan(
  question: Parameters<Service['comparisonPlan']>[0],
): Promise<Unworded<ComparisonPlan>> {
  const { seeds, keep = 'winner' } = question;
  const [{ usualGrowthSteps }, { modelsAtMost, modelsInTheEnd }] = await Promise.all([
    import('../compare/request'),
    import('../compare/keep'),
  ]);
  const methods = comparedMethods(question.methods);
  const runs = methods.length * seeds.length;
  await using plans = await openPlan({ ...question, steps: usualGrowthSteps(question.steps) });
  const { model, resolved, shape, requireGrowth, requireHead, planGrowth } = plans;
  const { cost: learning, ...growth } = planGrowth(model, resolved, plans.settings, shape);
  const asked = { keep, seeds, methods };
  const modelBytes = {
    most: modelsAtMost(asked) * growth.diskBytes,
    end: modelsInTheEnd(asked) * growth.diskBytes,
  };
  if (growth.refusals.length > 0) return { growth, runs, modelBytes };
  requireHead(model);
  const { steps } = question;
  const cost = await comparedCost(requireGrowth(model, resolved), methods, { steps, shape });
  return {
    growth: { ...growth, ...(learning && methods.some(learns) && { cost: learning }) },
    runs,
    modelBytes,
    flops: cost.flops * seeds.length,
    flopsPerStep: cost.step.flops,
  };
}
