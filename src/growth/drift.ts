import type { Operator, OperatorGroup, OperatorValues } from './operators';

/** How far operators moved from where they started: ‖M − M₀‖ / ‖M₀‖, by group and by operator. */
export interface OperatorDrift {
  readonly groups: Readonly<Partial<Record<OperatorGroup, number>>>;
  readonly operators: Readonly<Record<string, number>>;
}

/** Drift of every operator and of each group as one long vector. */
export function operatorDrift(
  operators: readonly Operator[],
  initial: OperatorValues,
  current: OperatorValues,
): OperatorDrift {
  const moved = operators.map(({ name, group }) => {
    const before = initial[name]!;
    const after = current[name]!;
    let difference = 0;
    let norm = 0;
    for (let i = 0; i < before.length; i++) {
      difference += (after[i]! - before[i]!) ** 2;
      norm += before[i]! ** 2;
    }
    return { name, group, difference, norm };
  });
  // An operator that starts at zero has moved infinitely far for its size; report its norm instead.
  const ratio = (difference: number, norm: number): number =>
    Math.sqrt(norm === 0 ? difference : difference / norm);
  const groups: Partial<Record<OperatorGroup, number>> = {};
  for (const group of new Set(moved.map(entry => entry.group))) {
    const members = moved.filter(entry => entry.group === group);
    groups[group] = ratio(
      members.reduce((sum, entry) => sum + entry.difference, 0),
      members.reduce((sum, entry) => sum + entry.norm, 0),
    );
  }
  return {
    groups,
    operators: Object.fromEntries(
      moved.map(({ name, difference, norm }) => [name, ratio(difference, norm)]),
    ),
  };
}
