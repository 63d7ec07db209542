import { createHash } from 'node:crypto';
import { counted, flopUnit } from '../format';
import { yardstick, type ComparisonReport } from '../protocol/comparison';
import { lossUnitOf } from '../protocol/evaluation';
import { modelNameOf } from '../protocol/weightNames';
import { lossChart, type Level } from './chart';
import { methodCurves, type MethodCurve } from './curves';
import { html, type Markup } from './markup';
import { conditions, definitions, keptModels, sources, troubles } from './notes';
import { timeUnit } from './quantities';
import { style } from './style';
import { curveTable, savingsTable } from './tables';
import { verdict } from './verdict';

/** The report as one page that needs nothing else: no network, no script. */
export function comparisonPage(report: ComparisonReport): string {
  const { source, target, settings } = report;
  const curves = methodCurves(report);
  const name = modelNameOf(source.path);
  const sizes = `${source.layers} × ${source.hidden} → ${target.layers} × ${target.hidden}`;
  const seeds = settings.seeds.length === 1 ? 'one seed' : `${settings.seeds.length} seeds`;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src '${styleHash}'; base-uri 'none'; form-action 'none'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="generator" content="${report.software.name} ${report.software.version}" />
        <title>Growing ${name}, ${sizes}: methods compared</title>
        ${styleElement}
      </head>
      <body>
        <main>
          <header>
            <h1>Growing ${name}: methods compared</h1>
            <p class="quiet">
              ${source.modelClass} ${sizes}, ${counted(settings.steps, 'training step')}, ${seeds}.
            </p>
          </header>
          ${verdict(report)} ${troubles(report)}
          <section aria-labelledby="savings">
            <h2 id="savings">What each method saves</h2>
            ${savingsTable(report, curves)}
          </section>
          ${keptModels(report)} ${curves.length > 0 ? charts(report, curves) : undefined}
          <section aria-labelledby="definitions">
            <h2 id="definitions">What the numbers mean</h2>
            ${definitions(report)}
          </section>
          <section aria-labelledby="methods">
            <h2 id="methods">Methods</h2>
            ${sources(report)}
          </section>
          <section aria-labelledby="conditions">
            <h2 id="conditions">How it was run</h2>
            ${conditions(report)}
          </section>
        </main>
      </body>
    </html> `;
  return page.markup;
}

/** Not a letter more than the policy's hash is of. */
const styleElement: Markup = { markup: `<style>${style}</style>` };
const styleHash = `sha256-${createHash('sha256').update(style).digest('base64')}`;

function charts(report: ComparisonReport, curves: readonly MethodCurve[]): Markup {
  // A report without a small model's score has no curves either.
  const lossUnit = report.small ? lossUnitOf(report.small) : 'nats';
  const common = { curves, lossUnit, levels: levelsOf(report) };
  const compute = lossChart({
    ...common,
    id: 'flops',
    title: 'Held-out loss against compute',
    horizontal: 'flops',
    horizontalLabel: 'compute, growth included',
    unitOf: flopUnit,
  });
  const time = lossChart({
    ...common,
    id: 'seconds',
    title: 'Held-out loss against time',
    horizontal: 'seconds',
    horizontalLabel: 'time in steps, growth included',
    unitOf: timeUnit,
  });
  const { seeds } = report.settings;
  const { parallel } = report.machine;
  const band =
    seeds.length > 1 ? 'Mean over seeds; the band reaches from the lowest to the highest. ' : '';
  const beside =
    parallel > 1 ? `${parallel} runs computed at the same time, each slower than alone. ` : '';
  return html`<section aria-labelledby="curves">
    <h2 id="curves">Held-out loss against compute</h2>
    ${figure('Loss against compute', compute, `${band}A curve begins where its growth ended; what starts far above is cut.`)}
    <h2 id="time">Held-out loss against time</h2>
    ${figure('Loss against time', time, `${beside}Evaluations are not counted.`)}
    ${curveTable(curves, lossUnit)}
  </section>`;
}

/** A chart that keeps its letters readable on narrow screens, where it scrolls. */
const figure = (title: string, chart: Markup, caption: string): Markup =>
  html`<figure>
    <div class="wide" tabindex="0" role="region" aria-label="${title}">${chart}</div>
    <figcaption>${caption}</figcaption>
  </figure>`;

/** What curves are read against: the small model, and where training from scratch ends. */
function levelsOf({ small, methods }: ComparisonReport): readonly Level[] {
  const end = methods.find(({ method }) => method === yardstick)?.end;
  return [
    ...(small ? [{ label: 'small model', loss: small.loss, kind: 'small' as const }] : []),
    ...(end ? [{ label: 'scratch ends', loss: end.mean, kind: 'scratch' as const }] : []),
  ];
}
