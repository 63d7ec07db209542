import { element, setText } from '../shared/dom';
import { t } from '../shared/strings';
import { curveExports } from './curveExport';
import { createHeader } from './header';
import { createLossChart } from './lossChart';
import { createNextSteps, trainingSteps } from './nextSteps';
import { outcomeText } from './outcome';
import { createWarnings, type PageParts, type RunContents } from './page';
import { createRateChart } from './rateChart';
import type { PageRun } from './runState';
import { createTrainingView } from './trainingView';

/** What the panel of a training shows: what came of it, its curves and its receipt. */
export function createTrainingPage({ post, state, remember }: PageParts): RunContents {
  let run: PageRun | undefined;
  const header = createHeader(command => post({ type: 'control', command }));
  const outcome = element('p', { class: 'outcome' });
  const chart = createLossChart(
    state.chart ?? { logarithmic: false, smoothing: 0 },
    choices => remember({ chart: choices }),
    t('Loss'),
  );
  chart.element.append(curveExports(chart, post, () => run));
  const rate = createRateChart();
  const receipt = createTrainingView();
  const results = createNextSteps(post, trainingSteps());
  const warnings = createWarnings();
  return {
    elements: [
      header.element,
      outcome,
      results,
      warnings.element,
      chart.element,
      rate.element,
      receipt.element,
    ],
    setExact: () => undefined,
    update: next => {
      run = next;
      const { summary, curve, training } = next;
      header.update(summary);
      outcome.hidden = training === undefined;
      if (training) setText(outcome, outcomeText(training));
      results.hidden = summary.status !== 'done';
      chart.update(next);
      rate.update(curve);
      receipt.update(training);
      warnings.update([...new Set([...next.warnings, ...(training?.warnings ?? [])])]);
    },
  };
}
