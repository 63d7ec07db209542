import type { RunElsewhere, RunSummary } from '../../src/protocol/messages';
import { element, setText, type View } from '../shared/dom';
import { formatInteger, formatMoment, formatShare } from '../shared/format';
import { shareDone } from '../shared/progressBar';
import { newestLoss } from '../shared/runFacts';
import { failureNotice, showTitle, statusLabel } from '../shared/runParts';
import { t } from '../shared/strings';

/** What a person can do to a run that waits or has ended. */
export interface PastActions {
  cancel(run: string): void;
  open(run: string): void;
  resume(run: string): void;
  reveal(run: string): void;
  log(run: string): void;
  report(run: string): void;
}

const textButton = (text: string, run: RunSummary, onClick: () => void): HTMLElement =>
  element('button', {
    class: 'text-button',
    text,
    attributes: { type: 'button', 'aria-label': `${text}: ${run.title}` },
    on: { click: onClick },
  });

/** A run of the queue, and what it waits for. */
export function queuedItem(first: RunSummary, actions: PastActions): View<RunSummary> {
  const title = element('span', { class: 'grow past-title' });
  const phase = element('div', { class: 'quiet small' });
  return {
    element: element(
      'li',
      { class: 'past' },
      element(
        'div',
        { class: 'row' },
        element('span', { class: 'status', attributes: { 'data-status': 'queued' } }),
        title,
        textButton(t('Cancel'), first, () => actions.cancel(first.id)),
      ),
      phase,
    ),
    update: run => {
      showTitle(title, run.kind === 'compare' ? `${run.title} · ${t('Comparison')}` : run.title);
      setText(phase, run.phase);
    },
  };
}

/** A run of another window, which only that one can stop. */
export function elsewhereItem(): View<RunElsewhere> {
  const title = element('div', { class: 'past-title' });
  const place = element('div', { class: 'quiet small' });
  return {
    element: element('li', { class: 'past' }, title, place),
    update: run => {
      showTitle(title, run.title);
      setText(place, run.window);
    },
  };
}

/** A run that has ended: how, when, and what can be done with it. */
export function pastItem(first: RunSummary, actions: PastActions): View<RunSummary> {
  const title = element('span', { class: 'grow past-title' });
  const status = statusLabel();
  const facts = element('div', { class: 'quiet small number' });
  const failure = failureNotice();
  const open = textButton(t('Open'), first, () => actions.open(first.id));
  const resume = textButton(t('Resume'), first, () => actions.resume(first.id));
  const reveal = textButton(t('Reveal'), first, () => actions.reveal(first.id));
  const report = textButton(t('Report'), first, () => actions.report(first.id));
  const log = textButton(t('Log'), first, () => actions.log(first.id));
  return {
    element: element(
      'li',
      { class: 'past' },
      element('div', { class: 'row' }, title, status.element),
      facts,
      failure.element,
      element('div', { class: 'row past-actions' }, open, report, resume, reveal, log),
    ),
    update: run => {
      showTitle(title, run.title);
      status.update(run.status);
      const compared = run.kind === 'compare';
      const parts = [
        ...(compared ? [t('Comparison')] : []),
        formatMoment(run.created),
        ...(run.steps > 0 && run.status !== 'done'
          ? [
              compared
                ? formatShare(shareDone(run))
                : t('step {0} of {1}', formatInteger(run.step), formatInteger(run.steps)),
            ]
          : []),
        ...(compared ? [] : lossOf(run)),
      ];
      setText(facts, parts.join(' · '));
      failure.update(run.failure);
      resume.hidden = run.status === 'done';
      report.hidden = !compared || run.status !== 'done';
      reveal.hidden = run.status !== 'done';
    },
  };
}

/** Its newest loss, by what it was measured on. */
function lossOf(run: RunSummary): string[] {
  const loss = newestLoss(run);
  if (!loss) return [];
  const { kind, text } = loss;
  return [kind === 'heldOut' ? t('held-out loss {0}', text) : t('batch loss {0}', text)];
}
