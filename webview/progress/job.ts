import type { RunSummary } from '../../src/protocol/messages';
import type { RunCommand } from '../../src/protocol/runFolder';
import { element, setText, type View } from '../shared/dom';
import { factList } from '../shared/factList';
import { formatInteger, formatLoss, formatShare } from '../shared/format';
import { progressBar, shareDone } from '../shared/progressBar';
import { summaryFacts } from '../shared/runFacts';
import { runControls } from '../shared/runControls';
import { showTitle, statusLabel } from '../shared/runParts';
import { sparkline } from '../shared/sparkline';
import { t } from '../shared/strings';

/** What a person can do to a job. */
export interface JobActions {
  control(run: string, command: RunCommand): void;
  open(run: string): void;
}

/** The card of a run that is being worked on. */
export function jobCard(first: RunSummary, actions: JobActions): View<RunSummary> {
  const heading = element('h2', { class: 'grow', attributes: { id: `job-${first.id}` } });
  const kind = element('span', { class: 'quiet small', text: t('Comparison') });
  const status = statusLabel();
  const phase = element('span', { class: 'grow' });
  const share = element('span', { class: 'number quiet' });
  const bar = progressBar();
  const lossLabel = element('div', { class: 'quiet small' });
  const loss = element('span', { class: 'job-loss number' });
  const curve = sparkline();
  const lossRow = element(
    'div',
    { class: 'job-curve' },
    element('div', {}, lossLabel, loss),
    curve.element,
  );
  const facts = factList();
  const controls = runControls(
    command => actions.control(first.id, command),
    () => actions.open(first.id),
  );
  return {
    element: element(
      'article',
      { class: 'card job', attributes: { 'aria-labelledby': `job-${first.id}` } },
      element('div', { class: 'row job-head' }, heading, status.element),
      kind,
      element(
        'div',
        { class: 'job-progress' },
        element('div', { class: 'row' }, phase, share),
        bar.element,
      ),
      lossRow,
      facts.element,
      controls.element,
    ),
    update: run => {
      showTitle(heading, run.title);
      status.update(run.status);
      setText(phase, run.phase);
      kind.hidden = run.kind !== 'compare';
      setText(
        share,
        run.steps > 0 && run.kind !== 'compare'
          ? t('step {0} of {1}', formatInteger(run.step), formatInteger(run.steps))
          : formatShare(shareDone(run)),
      );
      bar.update(run);
      lossRow.hidden = run.loss === undefined;
      setText(lossLabel, run.kind === 'compare' ? t('Held-out loss') : t('Batch loss'));
      setText(loss, run.loss === undefined ? '' : formatLoss(run.loss));
      curve.update(run.lossHistory);
      facts.update(summaryFacts(run));
      controls.update(run);
    },
  };
}
