import type { Growth } from '../../growth';
import { growthMethod, methodNameOf, type GrowthMethodName } from '../../growth/methods';
import { yardstick } from '../../protocol/comparison';
import type { BatchShape } from '../../training';

/** All methods of a comparison: training from scratch is one, whether named or not. */
export const comparedMethods = (names: readonly string[]): readonly GrowthMethodName[] => [
  ...new Set([yardstick, ...names.map(methodNameOf)]),
];

/** True for methods that learn operators. */
export const learns = (name: GrowthMethodName): boolean =>
  growthMethod(name).making.kind === 'learned';

/** What a comparison computes with the settings that a request without word of them gets. */
export async function comparedCost(
  growth: Growth,
  names: readonly string[],
  { steps, shape }: { readonly steps: number; readonly shape: BatchShape },
) {
  const [{ comparisonCost }, { usualGrowthSteps }, settings] = await Promise.all([
    import('../compare/cost'),
    import('../compare/request'),
    import('../settings'),
  ]);
  const training = {
    ...settings.defaultTrainSettings,
    steps,
    warmup: settings.defaultWarmup(steps),
  };
  const methods = comparedMethods(names);
  const growthSteps = usualGrowthSteps(steps);
  return comparisonCost(growth, { methods, training, growthSteps }, shape);
}
