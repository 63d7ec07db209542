import { announcer } from './dom';
import { t } from './strings';
import { button } from './ui/components';

/** A button that copies a text and says whether it did. */
export function copyButton(label: string, text: () => string): HTMLElement {
  const live = announcer();
  const node = button(label, () => {
    const finish = (said: string): void => {
      node.textContent = said;
      live.say(said);
      setTimeout(() => (node.textContent = label), 2000);
    };
    navigator.clipboard.writeText(text()).then(
      () => finish(t('Copied')),
      () => finish(t('Could not copy')),
    );
  });
  const holder = document.createElement('span');
  holder.append(node, live.element);
  return holder;
}
