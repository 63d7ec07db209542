/** How the learning rate moves over a run. */
export interface Schedule {
  readonly kind: 'constant' | 'linear' | 'cosine';
  readonly steps: number;
  /** Steps of linear warm-up at the start. */
  readonly warmup: number;
}

/** The factor on every peak learning rate at a step (0-based): 0…1. */
export function scheduleScale({ kind, steps, warmup }: Schedule, step: number): number {
  if (step < warmup) return (step + 1) / (warmup + 1);
  if (kind === 'constant') return 1;
  const progress = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
  return kind === 'linear' ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress));
}
