import type { ColorTable } from '../heatmap/colorMaps';
import type { Matrix } from '../heatmap/matrix';
import type { Scale } from '../heatmap/scale';
import { thumbnail } from '../heatmap/thumbnail';
import { brokenAtDots, element, endShown } from '../shared/dom';
import { formatShape } from '../shared/format';
import { t } from '../shared/strings';
import { byKind, kindLabel, parseOperatorName } from './operatorNames';
import type { OperatorMatrix } from './runState';

/** Thumbnails of all operators, by group and kind. */
export interface OperatorGrid {
  readonly element: HTMLElement;
  /** Shows which operators there are. */
  setOperators(operators: readonly OperatorMatrix[]): void;
  /** Paints every thumbnail. */
  draw(
    look: (name: string) => { readonly matrix: Matrix; readonly scale: Scale } | undefined,
    table: ColorTable,
  ): void;
  select(name: string): void;
}

/** Makes the grid; `choose` is called when a thumbnail is clicked or entered. */
export function createOperatorGrid(choose: (name: string) => void): OperatorGrid {
  const root = element('div', { class: 'operator-groups' });
  let tiles = new Map<
    string,
    { button: HTMLButtonElement; picture: ReturnType<typeof thumbnail> }
  >();
  let names = '';

  function tile(operator: OperatorMatrix, caption: string): HTMLElement {
    const picture = thumbnail();
    picture.element.dataset['operator'] = operator.name;
    const button = element(
      'button',
      {
        class: 'tile',
        title: `${operator.name}, ${formatShape(operator.shape)}`,
        attributes: {
          type: 'button',
          tabindex: -1,
          'aria-pressed': 'false',
          // The caption is part of the label, so that people who speak to their computer can say it.
          'aria-label': `${caption}: ${operator.name}, ${formatShape(operator.shape)}`,
        },
        on: { click: () => choose(operator.name) },
      },
      element('span', { class: 'tile-picture' }, picture.element),
      element('span', { class: 'tile-caption' }, endShown('div', caption)),
    );
    tiles.set(operator.name, { button, picture });
    return button;
  }

  function group(title: string, explanation: string, content: readonly HTMLElement[]): HTMLElement {
    return element(
      'section',
      { attributes: { 'aria-label': title } },
      element(
        'div',
        { class: 'group-title' },
        element('h3', { text: title }),
        element('span', { class: 'quiet', text: explanation }),
      ),
      ...content,
    );
  }

  // One tab stop for all thumbnails; arrow keys go from one to the next.
  root.addEventListener('keydown', event => {
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const all = [...tiles.values()].map(({ button }) => button);
    const at = all.findIndex(button => button === document.activeElement);
    if (move === undefined || at < 0) return;
    event.preventDefault();
    const next = all[Math.max(0, Math.min(all.length - 1, at + move))];
    if (next === undefined) return;
    for (const button of all) button.tabIndex = button === next ? 0 : -1;
    next.focus();
  });

  return {
    element: root,
    setOperators: operators => {
      const wanted = operators.map(({ name, shape }) => `${name} ${shape.join()}`).join('\n');
      if (wanted === names) return;
      names = wanted;
      tiles = new Map();
      const depth = [...byKind(operators, 'depth')].flatMap(([kind, list]) =>
        list.map(operator => tile(operator, kind)),
      );
      const width = [...byKind(operators, 'width')].map(([kind, list]) =>
        element(
          'div',
          { class: 'kind' },
          element('span', { class: 'kind-name' }, ...brokenAtDots(kindLabel(kind))),
          element(
            'div',
            { class: 'tiles width-tiles' },
            ...list.map(operator =>
              tile(operator, String(parseOperatorName(operator.name, 'width').layer ?? t('all'))),
            ),
          ),
        ),
      );
      root.replaceChildren(
        ...(depth.length > 0
          ? [
              group(t('Depth'), t('large layers × small layers, one a kind of module'), [
                element('div', { class: 'tiles depth-tiles' }, ...depth),
              ]),
            ]
          : []),
        ...(width.length > 0
          ? [
              group(
                t('Width'),
                t('new features or heads × small ones, one a space and layer'),
                width,
              ),
            ]
          : []),
      );
      const first = [...tiles.values()][0];
      if (first !== undefined) first.button.tabIndex = 0;
    },
    draw: (look, table) => {
      for (const [name, { picture }] of tiles) {
        const seen = look(name);
        if (seen !== undefined) picture.draw(seen.matrix, seen.scale, table);
      }
    },
    select: name => {
      for (const [other, { button }] of tiles) {
        button.setAttribute('aria-pressed', String(other === name));
        button.tabIndex = other === name ? 0 : -1;
      }
    },
  };
}
