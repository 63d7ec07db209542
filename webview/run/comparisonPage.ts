import { element } from '../shared/dom';
import { t } from '../shared/strings';
import { button } from '../shared/ui/components';
import { createComparisonView } from './comparisonView';
import { createHeader } from './header';
import { createWarnings, type PageParts, type RunContents } from './page';

/** What the panel of a comparison shows: all curves, the table of runs, and the way to the report. */
export function createComparisonPage({ post, state, remember }: PageParts): RunContents {
  const header = createHeader(command => post({ type: 'control', command }));
  const comparison = createComparisonView(
    state.comparison ?? { horizontal: 'flops', logarithmic: false, hidden: [] },
    choices => remember({ comparison: choices }),
  );
  const warnings = createWarnings();
  const results = element(
    'div',
    { class: 'actions' },
    button(t('Open Report'), () => post({ type: 'openReport' }), { look: 'primary' }),
    button(t('Reveal Output'), () => post({ type: 'revealOutput' })),
  );
  return {
    elements: [header.element, results, warnings.element, comparison.element],
    setExact: () => undefined,
    update: ({ summary, comparison: detail, warnings: texts }) => {
      header.update(summary);
      results.hidden = summary.status !== 'done';
      warnings.update([...new Set(texts)]);
      if (detail !== undefined) comparison.update(detail);
    },
  };
}
