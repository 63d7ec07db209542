import { counted } from '../format';
import {
  yardstick,
  type ComparisonReport,
  type MethodSummary,
  type Spread,
} from '../protocol/comparison';
import type { LossUnit } from '../protocol/evaluation';
import { lookOf } from './chart';
import type { MethodCurve } from './curves';
import { html, type Markup } from './markup';
import { inUnit, lossText, rangeText, shareText, timeUnit } from './quantities';
import { seedsStartingBelow } from './verdict';

/** Methods with what they saved, best first. */
export function savingsTable(report: ComparisonReport, curves: readonly MethodCurve[]): Markup {
  const withSmall = report.smallTraining !== undefined;
  const { methods } = report;
  return html`<div class="wide" tabindex="0" role="region" aria-label="Savings">
    <table>
      <caption>
        Saved against training from scratch, to reach its final held-out loss. Mean over seeds;
        below it the lowest and the highest.
      </caption>
      <thead>
        <tr>
          <th scope="col">Method</th>
          <th scope="col">FLOPs saved</th>
          <th scope="col">paper’s FLOPs</th>
          ${withSmall ? html`<th scope="col">small model counted</th>` : undefined}
          <th scope="col">time saved</th>
          <th scope="col">loss at start</th>
          <th scope="col">loss at end</th>
          <th scope="col">logits changed</th>
          <th scope="col">growth</th>
        </tr>
      </thead>
      <tbody>
        ${methods.map(summary => row(report, summary, curves))}
      </tbody>
    </table>
  </div>`;
}

function row(
  report: ComparisonReport,
  summary: MethodSummary,
  curves: readonly MethodCurve[],
): Markup {
  const { method, title, start, end, parity, growthSeconds } = summary;
  const curve = curves.find(candidate => candidate.method === method);
  const time = (seconds: number): string => inUnit(seconds, timeUnit);
  return html`<tr>
    <th scope="row">
      <div class="method">
        ${curve ? swatch(curve) : undefined}<span>${title}<small>${method}</small></span>
      </div>
    </th>
    ${savingsCells(report, summary)}${cell(start, lossText)}${cell(end, lossText)}${cell(method === yardstick ? undefined : parity, shareText)}${cell(growthSeconds, time)}
  </tr> `;
}

const swatch = (curve: MethodCurve): Markup =>
  html`<svg class="swatch ${lookOf(curve)}" viewBox="0 0 28 10" aria-hidden="true">
    <path class="sample" d="M0 5H28" />
  </svg>`;

function savingsCells(report: ComparisonReport, summary: MethodSummary): Markup {
  const { savings, finished, reached, failures, seeds } = summary;
  const withSmall = report.smallTraining !== undefined;
  const columns = withSmall ? 4 : 3;
  if (savings) {
    const small = withSmall ? cell(savings.flopsWithSmall, shareText) : undefined;
    return html`${cell(savings.flops, shareText, { kind: 'best', note: startNote(summary) })}${cell(savings.paperFlops, shareText)}${small}${cell(savings.seconds, shareText)}`;
  }
  if (finished === 0) {
    return html`<td class="failed" colspan="${columns}">failed: ${failures[0]?.message}</td>`;
  }
  const within = `within ${counted(report.settings.steps, 'step')}`;
  const outcome =
    reached === 0 ? `never ${within}` : `only ${reached} of ${seeds.length} seeds ${within}`;
  const words = seeds.length === 0 ? 'nothing to compare with' : outcome;
  return html`<td class="never" colspan="${columns}">${words}</td>`;
}

/** Said where no training was needed to get there. */
function startNote(summary: MethodSummary): string | undefined {
  const below = seedsStartingBelow(summary);
  if (summary.method === yardstick || below === 0) return undefined;
  const all = summary.seeds.length;
  return below === all ? 'starts below it' : `${below} of ${all} seeds start below it`;
}

function cell(
  spread: Spread | undefined,
  text: (value: number) => string,
  { kind, note }: { readonly kind?: string; readonly note?: string | undefined } = {},
): Markup {
  if (!spread) return html`<td>–</td>`;
  const range = rangeText(spread, text);
  const mark = kind !== undefined && spread.mean > 0 ? html` class="${kind}"` : undefined;
  const small = [range, note].map(words =>
    words === undefined ? undefined : html`<small>${words}</small>`,
  );
  return html`<td${mark}>${text(spread.mean)}${small}</td>`;
}

/** The numbers of the charts. */
export function curveTable(curves: readonly MethodCurve[], lossUnit: LossUnit): Markup {
  const steps = curves[0]?.samples.map(({ step }) => step) ?? [];
  const rows = steps.map(
    (step, index) =>
      html`<tr>
        <th scope="row">${step}</th>
        ${curves.map(({ samples }) => html`<td>${lossText(samples[index]!.loss.mean)}</td>`)}
      </tr> `,
  );
  return html`<details>
    <summary>The numbers: held-out loss by training step</summary>
    <div class="wide" tabindex="0" role="region" aria-label="Held-out loss by training step">
      <table>
        <caption>
          Held-out loss in ${lossUnit}, mean over seeds.
        </caption>
        <thead>
          <tr>
            <th scope="col">Step</th>
            ${curves.map(({ title }) => html`<th scope="col">${title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows}
        </tbody>
      </table>
    </div>
  </details>`;
}
