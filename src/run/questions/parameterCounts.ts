import type { Service } from '../../protocol/service';

/** Parameters of a checkpoint grown to each of some sizes; undefined where it cannot grow so. */
export async function parameterCounts({
  checkpoint,
  targets,
}: Parameters<Service['parameters']>[0]): Promise<readonly (number | undefined)[]> {
  const [{ useModel }, { summarize }, { requireGrowth, resolveTarget }] = await Promise.all([
    import('../open/resources'),
    import('../open/model'),
    import('../plan/plan'),
  ]);
  await using model = await useModel(checkpoint);
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
}
