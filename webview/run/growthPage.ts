import type { PageOptions } from '../../src/protocol/messages';
import { curveExports } from './curveExport';
import { createHeader } from './header';
import { createLossChart } from './lossChart';
import { createNextSteps, growthSteps } from './nextSteps';
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
  const results = createNextSteps(post, growthSteps());
  const warnings = createWarnings();
  chart.element.append(curveExports(chart, post, () => run));

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
