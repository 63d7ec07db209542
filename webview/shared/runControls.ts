import type { RunStatus, RunSummary } from '../../src/protocol/messages';
import type { RunCommand } from '../../src/protocol/runFolder';
import { element, setText } from './dom';
import { t } from './strings';
import { button, setEnabled } from './ui/components';

/**
 * The buttons of a run: pause or resume, stop and keep, cancel (asks once, in place), open. Half a
 * comparison is no result, so that one cannot be stopped and kept.
 */
export function runControls(
  send: (command: RunCommand) => void,
  open?: () => void,
): { readonly element: HTMLElement; update(run: Pick<RunSummary, 'status' | 'kind'>): void } {
  let status: RunStatus = 'starting';
  const pause = button(t('Pause'), () => {
    setEnabled(pause, false);
    send(status === 'paused' ? 'run' : 'pause');
  });
  const stop = button(
    t('Stop and keep'),
    () => {
      setEnabled(stop, false);
      send('stopAndKeep');
    },
    { label: t('Stop and keep: end learning now and write the model as it is') },
  );
  const cancel = button(t('Cancel'), () => ask(true));
  const buttons = element(
    'div',
    { class: 'actions' },
    pause,
    stop,
    cancel,
    open && button(t('Open'), open),
  );
  const keep = button(t('Keep running'), () => ask(false));
  const consequence = element('p');
  const question = element(
    'div',
    { class: 'notice', attributes: { role: 'group', 'aria-label': t('Cancel this run?') } },
    element('p', { text: t('Cancel this run?') }),
    consequence,
    element(
      'div',
      { class: 'actions question-actions' },
      button(t('Cancel run'), () => {
        ask(false);
        setEnabled(cancel, false);
        send('cancel');
      }),
      keep,
    ),
  );
  question.hidden = true;
  const root = element('div', { class: 'run-controls' }, buttons, question);
  question.addEventListener('keydown', event => {
    if (event.key === 'Escape') ask(false);
  });

  function ask(asked: boolean): void {
    const inside = root.contains(document.activeElement);
    question.hidden = !asked;
    buttons.hidden = asked;
    if (inside) (asked ? keep : cancel).focus();
  }

  return {
    element: root,
    update: ({ status: next, kind }) => {
      stop.hidden = kind === 'compare';
      setText(
        consequence,
        kind === 'compare'
          ? t('No report is written. Runs that ended are kept; you can resume it later.')
          : t('No model is written. You can resume it later.'),
      );
      if (next === status && buttons.dataset['status'] !== undefined) return;
      status = next;
      buttons.dataset['status'] = next;
      setText(pause, next === 'paused' ? t('Resume') : t('Pause'));
      setEnabled(pause, next === 'running' || next === 'paused');
      setEnabled(stop, next === 'running' || next === 'paused');
      setEnabled(cancel, next !== 'finishing');
      if (next === 'finishing') ask(false);
    },
  };
}
