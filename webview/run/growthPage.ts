import type { PageOptions } from '../../src/protocol/messages';
import { fileName } from '../heatmap/exports';
import { element } from '../shared/dom';
import { t } from '../shared/strings';
import { button } from '../shared/ui/components';
import { curveCsv, curveSvg } from './chartExport';
import { levelName, levelsOf } from './chartFrame';
import { createHeader } from './header';
import { createLossChart } from './lossChart';
import { createOperatorsView } from './operators';
import { createWarnings, type PageParts, type RunContents } from './page';
import { createPlanView } from './planView';
import { createReceiptView } from './receiptView';
import type { PageRun } from './runState';

/** What the panel of a growth shows: curve, operators, receipt and plan. */
export function createGrowthPage(
  { post, state, remember }: PageParts,
  colorMap: PageOptions['colorMap'],
): RunContents {
  let run: PageRun | undefined;
  const header = createHeader(command => post({ type: 'control', command }));
  const chart = createLossChart(state.chart ?? { logarithmic: false, smoothing: 0 }, choices =>
    remember({ chart: choices }),
  );
  const operators = createOperatorsView(
    state.operators ?? { colorMap, limitKind: 'maximum', shown: 'values' },
    choices => remember({ operators: choices }),
    post,
  );
  const receipt = createReceiptView();
  const plan = createPlanView();
  const results = element(
    'div',
    { class: 'actions' },
    button(t('What Next…'), () => post({ type: 'whatNext' }), {
      look: 'primary',
      label: t('What Next: inspect, compare or load what has grown'),
    }),
    button(t('Reveal Output'), () => post({ type: 'revealOutput' })),
  );
  const warnings = createWarnings();
  const save = (format: 'png' | 'svg' | 'csv'): HTMLElement =>
    button(format.toUpperCase(), () => run && exportCurve(run, format), {
      label: t('Save the loss curve as {0}', format.toUpperCase()),
    });
  chart.element.append(
    element('div', { class: 'actions chart-exports' }, save('png'), save('svg'), save('csv')),
  );

  function exportCurve({ summary, curve, evaluations }: PageRun, format: 'png' | 'svg' | 'csv') {
    const name = `${fileName(`${summary.title} ${t('Batch loss')}`)}.${format}`;
    const { steps, losses } = curve;
    const levels = levelsOf(evaluations).map(({ model, loss }) => ({
      name: levelName(model),
      loss,
    }));
    if (format === 'png') {
      const content = chart.picture()?.toDataURL().split(',')[1];
      if (content !== undefined) post({ type: 'export', format, name, content });
      return;
    }
    const content =
      format === 'csv'
        ? curveCsv(steps, losses, levels)
        : curveSvg(summary.title, steps, losses, levels);
    post({ type: 'export', format, name, content });
  }

  return {
    elements: [
      header.element,
      results,
      warnings.element,
      chart.element,
      operators.element,
      receipt.element,
      plan.element,
    ],
    setExact: operators.setExact,
    update: next => {
      run = next;
      header.update(next.summary);
      results.hidden = next.summary.status !== 'done';
      chart.update(next);
      operators.update(next);
      receipt.update(next.receipt);
      plan.update(next.plan);
      warnings.update([...new Set([...next.warnings, ...(next.receipt?.warnings ?? [])])]);
    },
  };
}
