import { element } from './dom';

/** What is wrong, or good to know, and what to do. Something wrong that has just come is read out. */
export const notice = (
  message: string,
  remedy: string,
  kind: 'note' | 'bad' | 'alert' = 'note',
): HTMLElement =>
  element(
    'div',
    {
      class: kind === 'note' ? 'notice' : 'notice bad',
      attributes: { role: kind === 'alert' ? 'alert' : undefined },
    },
    element('p', { text: message }),
    element('p', { text: remedy }),
  );
