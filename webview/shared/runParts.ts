import type { RunStatus, RunSummary } from '../../src/protocol/messages';
import { element, setText, type View } from './dom';
import { statusText } from './runStatus';

/** Shows a run's title, and whole where the pointer rests, as there may be no room for all of it. */
export function showTitle(node: HTMLElement, title: string): void {
  setText(node, title);
  node.title = title;
}

/** A run's status with its sign. */
export function statusLabel(role?: 'status'): View<RunStatus> {
  const label = element('span', { class: 'status', attributes: { role } });
  return {
    element: label,
    update: status => {
      setText(label, statusText(status));
      label.dataset['status'] = status;
    },
  };
}

/** Why a run failed, with the remedy; hidden while it did not. */
export function failureNotice(role?: 'alert'): View<RunSummary['failure']> {
  const message = element('p');
  const remedy = element('p');
  const notice = element('div', { class: 'notice bad', attributes: { role } }, message, remedy);
  return {
    element: notice,
    update: failure => {
      notice.hidden = failure === undefined;
      setText(message, failure?.message ?? '');
      setText(remedy, failure?.remedy ?? '');
    },
  };
}
