import type { RunSummary } from '../../src/protocol/messages';
import type { RunCommand } from '../../src/protocol/runFolder';
import { element, setText, type View } from '../shared/dom';
import { factList } from '../shared/factList';
import { formatInteger, formatLoss, formatShare } from '../shared/format';
import { summaryFacts } from '../shared/runFacts';
import { runControls } from '../shared/runControls';
import { statusText } from '../shared/runStatus';
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
  const status = element('span', { class: 'status' });
  const phase = element('span', { class: 'grow' });
  const share = element('span', { class: 'number quiet' });
  const fill = element('div', { class: 'bar-fill' });
  const bar = element(
    'div',
    {
      class: 'bar',
      attributes: { role: 'progressbar', 'aria-valuemin': 0, 'aria-label': t('Progress') },
    },
    fill,
  );
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
      element('div', { class: 'row job-head' }, heading, status),
      kind,
      element(
        'div',
        { class: 'job-progress' },
        element('div', { class: 'row' }, phase, share),
        bar,
      ),
      lossRow,
      facts.element,
      controls.element,
    ),
    update: run => {
      setText(heading, run.title);
      heading.title = run.title;
      setText(status, statusText(run.status));
      status.dataset['status'] = run.status;
      const part = run.steps > 0 ? Math.min(1, run.step / run.steps) : 0;
      setText(phase, run.phase);
      kind.hidden = run.kind === 'grow';
      setText(
        share,
        run.steps > 0 && run.kind === 'grow'
          ? t('step {0} of {1}', formatInteger(run.step), formatInteger(run.steps))
          : formatShare(part),
      );
      fill.style.setProperty('--share', `${part * 100}%`);
      bar.setAttribute('aria-valuemax', String(run.steps));
      bar.setAttribute('aria-valuenow', String(run.step));
      lossRow.hidden = run.loss === undefined;
      setText(lossLabel, run.kind === 'compare' ? t('Held-out loss') : t('Loss'));
      setText(loss, run.loss === undefined ? '' : formatLoss(run.loss));
      curve.update(run.lossHistory);
      facts.update(summaryFacts(run));
      controls.update(run);
    },
  };
}
