import { element, setText } from './dom';
import type { Fact } from './fact';

/** Labels and values as a description list; only what changed is touched. */
export function factList(className = 'facts'): {
  readonly element: HTMLElement;
  update(facts: readonly Fact[]): void;
} {
  const list = element('dl', { class: className });
  let shape = '';
  let values: HTMLElement[] = [];
  return {
    element: list,
    update: facts => {
      const wanted = JSON.stringify(facts.map(({ label, code, wide }) => [label, code, wide]));
      if (wanted !== shape) {
        shape = wanted;
        values = facts.map(({ code }) => element(code === true ? 'code' : 'span'));
        list.replaceChildren(
          ...facts.map(({ label, wide }, index) =>
            element(
              'div',
              { class: wide === true ? 'wide' : '' },
              element('dt', { text: label }),
              element('dd', { class: 'number' }, values[index]),
            ),
          ),
        );
      }
      facts.forEach(({ value }, index) => {
        const node = values[index];
        if (node === undefined) return;
        setText(node, value);
        node.title = value;
      });
      list.hidden = facts.length === 0;
    },
  };
}
