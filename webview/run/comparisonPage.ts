import type { KeptModel } from '../../src/protocol/comparison';
import { methodTitle } from '../../src/protocol/methodTitles';
import { element, setText } from '../shared/dom';
import { formatLoss } from '../shared/format';
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
  const models = element('p', { class: 'quiet' });
  const next = button(t('What Next…'), () => post({ type: 'whatNext' }), {
    label: t('What Next: inspect or reveal the winner’s model'),
  });
  const results = element(
    'div',
    { class: 'actions' },
    button(t('Open Report'), () => post({ type: 'openReport' }), { look: 'primary' }),
    button(t('Reveal Output'), () => post({ type: 'revealOutput' })),
    next,
  );
  return {
    elements: [header.element, results, models, warnings.element, comparison.element],
    setExact: () => undefined,
    update: ({ summary, comparison: detail, warnings: texts }) => {
      header.update(summary);
      results.hidden = summary.status !== 'done';
      warnings.update([...new Set(texts)]);
      if (detail === undefined) return;
      comparison.update(detail);
      const [winner] = detail.models;
      next.hidden = models.hidden = winner === undefined;
      if (winner) setText(models, keptText(detail.models));
    },
  };
}

/** Where the trained models lie. */
function keptText(models: readonly KeptModel[]): string {
  const each = models.map(({ method, seed, folder, loss }) =>
    t(
      '{0} (seed {1}, held-out loss {2}) in the folder {3}',
      methodTitle(method),
      seed,
      formatLoss(loss),
      folder,
    ),
  );
  return each.length === 1
    ? t('The trained model of the winner is kept beside the report: {0}.', each.join(''))
    : t('Trained models are kept beside the report, the winner’s first: {0}.', each.join('; '));
}
