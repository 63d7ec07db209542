import type { RunDetail, ToRunPanel } from '../../src/protocol/messages';

/** An increment as the host sends it. */
export type Append = Extract<ToRunPanel, { type: 'append' }>;

/**
 * Old and new entries by key, in order of `step`. Entries may come again, and a resumed run goes back
 * to an earlier step: the newest wins.
 */
export function merge<T extends { readonly step: number }>(
  old: readonly T[],
  fresh: readonly T[],
  keyOf: (entry: T) => string | number = entry => entry.step,
): readonly T[] {
  if (fresh.length === 0) return old;
  const entries = new Map(old.map(entry => [keyOf(entry), entry]));
  for (const entry of fresh) entries.set(keyOf(entry), entry);
  return [...entries.values()].sort((a, b) => a.step - b.step);
}

function mergeCurves(old: RunDetail['curve'], more: Append): RunDetail['curve'] {
  if ((more.steps[0] ?? Infinity) > (old.steps.at(-1) ?? -Infinity)) {
    return {
      steps: [...old.steps, ...more.steps],
      losses: [...old.losses, ...more.losses],
    };
  }
  const pairs = ({ steps, losses }: RunDetail['curve']): { step: number; loss: number }[] =>
    steps.map((step, index) => ({ step, loss: losses[index] ?? NaN }));
  const merged = merge(pairs(old), pairs(more));
  return { steps: merged.map(({ step }) => step), losses: merged.map(({ loss }) => loss) };
}

/** A run after an increment. */
export function appendTo(run: RunDetail, more: Append): RunDetail {
  return {
    ...run,
    ...more.facts,
    summary: more.summary,
    curve: mergeCurves(run.curve, more),
    snapshots: merge(run.snapshots, more.snapshots),
    evaluations: merge(run.evaluations, more.evaluations, entry => `${entry.model} ${entry.step}`),
  };
}
