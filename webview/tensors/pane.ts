import { element, setText } from '../shared/dom';
import { t } from '../shared/strings';

/** What is known of the tensor that is selected in a table. */
export interface TensorPane {
  readonly element: HTMLElement;
  /** Shows a tensor that is being read; false where it is shown already. */
  expect(title: string, subtitle: string): boolean;
  /** Shows what was read, with a remark if there is one. */
  show(remark?: string): void;
  /** Says in place of it what there is to say. */
  say(text: string): void;
  fail(message: string, remedy: string): void;
}

/** Makes the pane; nothing is selected yet. */
export function createTensorPane(
  nothingYet: string,
  buttons: readonly HTMLElement[],
  ...parts: readonly HTMLElement[]
): TensorPane {
  let expected: string | undefined;
  const title = element('h2', { class: 'tensor-title grow' });
  const head = element('div', { class: 'row' }, title, ...buttons);
  const subtitle = element('p', { class: 'quiet number' });
  const status = element('p', { class: 'quiet', attributes: { role: 'status' } });
  const failure = element('div', { class: 'notice bad', attributes: { role: 'alert' } });
  const content = element('div', { class: 'stack' }, ...parts);
  head.hidden = failure.hidden = content.hidden = true;
  setText(status, nothingYet);

  function say(text: string): void {
    setText(status, text);
    status.hidden = text === '';
    failure.hidden = content.hidden = true;
  }

  return {
    element: element(
      'section',
      { class: 'tensor-pane', attributes: { 'aria-label': t('Tensor') } },
      head,
      subtitle,
      status,
      failure,
      content,
    ),
    expect: (name, details) => {
      if (expected === name) return false;
      expected = name;
      head.hidden = false;
      setText(title, name);
      setText(subtitle, details);
      say(t('Reading…'));
      return true;
    },
    show: (remark = '') => {
      say(remark);
      content.hidden = false;
    },
    say,
    fail: (message, remedy) => {
      say('');
      failure.hidden = false;
      failure.replaceChildren(element('p', { text: message }), element('p', { text: remedy }));
    },
  };
}
