import { element, setAttribute, type View } from './dom';
import { t } from './strings';

/** How far something is: steps done, of so many; of 0 where nobody knows yet. */
export interface Progress {
  readonly step: number;
  readonly steps: number;
}

/** The share that is done, from 0 to 1; 0 where nobody knows. */
export const shareDone = ({ step, steps }: Progress): number =>
  steps > 0 ? Math.min(1, step / steps) : 0;

/** A bar that fills; while the number of steps is unknown, screen readers are told no value either. */
export function progressBar(): View<Progress> {
  const fill = element('div', { class: 'bar-fill' });
  const attributes = { role: 'progressbar', 'aria-label': t('Progress'), 'aria-valuemin': 0 };
  const bar = element('div', { class: 'bar', attributes }, fill);
  return {
    element: bar,
    update: progress => {
      const { step, steps } = progress;
      const known = steps > 0;
      fill.style.setProperty('--share', `${shareDone(progress) * 100}%`);
      setAttribute(bar, 'aria-valuemax', known ? steps : undefined);
      setAttribute(bar, 'aria-valuenow', known ? Math.min(step, steps) : undefined);
    },
  };
}
