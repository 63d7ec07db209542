import type { RunDetail } from '../../src/protocol/messages';

/** What is known at a step: NaN where it is not. */
export interface CurveRow {
  readonly step: number;
  /** On the batch of the step. */
  readonly loss: number;
  readonly heldOut: number;
  readonly rate: number;
}

/** Evaluations that make a curve: those of a model while it is trained, and after each other. */
const trained = new Set(['before', 'training', 'after']);

/**
 * The curves of a run as rows, one a step. Held-out losses are a curve of trainings alone: a growth has
 * those of several models.
 */
export function curveRows({
  curve,
  evaluations,
  isTraining,
}: Pick<RunDetail, 'curve' | 'evaluations'> & {
  readonly isTraining: boolean;
}): readonly CurveRow[] {
  const { steps, losses, rates } = curve;
  const rows = new Map<number, CurveRow>(
    steps.map((step, index) => [
      step,
      { step, loss: losses[index] ?? NaN, heldOut: NaN, rate: rates?.[index] ?? NaN },
    ]),
  );
  if (!isTraining) return [...rows.values()];
  const last = steps.at(-1) ?? 0;
  for (const { model, step, loss } of evaluations) {
    // A run that was taken up again from an earlier step has not come so far again.
    if (!trained.has(model) || step > last) continue;
    const row = rows.get(step) ?? { step, loss: NaN, rate: NaN };
    rows.set(step, { ...row, heldOut: loss });
  }
  return [...rows.values()].sort((a, b) => a.step - b.step);
}
