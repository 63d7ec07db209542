import { counted } from '../format';
import { yardstick, type ComparisonReport, type MethodSummary } from '../protocol/comparison';
import { html, type Markup } from './markup';
import { rangeText, shareText } from './quantities';

/** The result in a sentence or two. */
export function verdict(report: ComparisonReport): Markup {
  const best = report.methods.find(({ method, savings }) => method !== yardstick && savings);
  if (!best?.savings) return html`<p class="verdict warning">${whyNoSaving(report)}</p>`;
  const { flops, seconds } = best.savings;
  if (seedsStartingBelow(best) === best.seeds.length) {
    // A growth that costs nothing would save everything, which says no more.
    const cost =
      flops.mean < 1
        ? html`: its growth alone takes <strong>${shareText(flops.mean)}</strong> less compute and
            ${shareText(seconds.mean)} less time`
        : undefined;
    return html`<p class="verdict">
      <strong>${best.title}</strong> starts below the final loss of training from scratch, before
      any training of its own${cost}.
    </p>`;
  }
  const range = rangeText(flops, shareText);
  const more = flops.mean < 0 ? ' No method saves compute here.' : '';
  return html`<p class="verdict">
    <strong>${best.title}</strong> reaches the final loss of training from scratch with
    <strong>${shareText(flops.mean)}</strong> less
    compute${range ? ` (${range} over seeds)` : undefined} and ${shareText(seconds.mean)} less
    time.${more}
  </p>`;
}

/** Seeds of a method whose grown model was, untrained, where training from scratch ended. */
export const seedsStartingBelow = ({ seeds }: MethodSummary): number =>
  seeds.filter(({ steps }) => steps === 0).length;

/** Why there is no method with a saving to tell of. */
function whyNoSaving({ methods, settings }: ComparisonReport): string {
  const others = methods.filter(({ method }) => method !== yardstick);
  const scratch = methods.find(({ method }) => method === yardstick);
  if (!scratch || scratch.finished === 0) {
    return 'Training from scratch did not finish, so no saving can be told.';
  }
  if (others.length === 0) return 'Only training from scratch was made.';
  if (others.every(({ finished }) => finished === 0)) return 'Only training from scratch finished.';
  const seeds = others.some(({ reached }) => reached > 0) ? ' with every seed' : '';
  return `No method reached the final loss of training from scratch within ${counted(settings.steps, 'step')}${seeds}.`;
}
