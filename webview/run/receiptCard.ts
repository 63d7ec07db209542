import { copyButton } from '../shared/clipboard';
import { element, type View } from '../shared/dom';
import { t } from '../shared/strings';

/** A receipt with its heading and a button that copies it; hidden where there is none. @param draw what is in it */
export function createReceiptCard<T extends object>(
  draw: (receipt: T) => readonly Node[],
): View<T | undefined> {
  let shown: T | undefined;
  const content = element('div', { class: 'stack' });
  const root = element(
    'section',
    { class: 'card', attributes: { 'aria-labelledby': 'receipt-title' } },
    element(
      'div',
      { class: 'row' },
      element('h2', { class: 'grow', text: t('Receipt'), attributes: { id: 'receipt-title' } }),
      copyButton(t('Copy JSON'), () => JSON.stringify(shown, null, 2)),
    ),
    content,
  );
  return {
    element: root,
    update: receipt => {
      root.hidden = receipt === undefined;
      if (receipt === undefined || receipt === shown) return;
      shown = receipt;
      content.replaceChildren(...draw(receipt));
    },
  };
}
