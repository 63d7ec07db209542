import { announcer, element, oncePerFrame, setText } from '../shared/dom';
import { formatInteger } from '../shared/format';
import { t } from '../shared/strings';
import { textField } from '../shared/ui/components';
import { arrangeRows, visibleRange, type Order, type RowKind } from './rows';

/** What a person chose in the table. */
export interface TableChoices {
  readonly filter: string;
  readonly order?: Order | undefined;
  readonly selected?: string | undefined;
}

/** Tensors; only rows that can be seen are in the page. */
export interface TensorTable<Row> {
  readonly element: HTMLElement;
  update(rows: readonly Row[]): void;
}

/** What a table is made with. */
export interface TableOptions<Row> extends RowKind<Row> {
  /** What stands in the field of the filter. */
  readonly filterBy: string;
  /** What is said where no row fits the filter. */
  readonly nothingFits: (filter: string) => string;
  readonly initial: TableChoices;
  readonly remember: (choices: TableChoices) => void;
  /** Called when a person rests on a row. */
  readonly select: (row: Row) => void;
}

const rowHeight = 24;

/** Makes the table. */
export function createTensorTable<Row>(options: TableOptions<Row>): TensorTable<Row> {
  const { columns, nameOf, said, initial, remember, select } = options;
  let choices = initial;
  let all: readonly Row[] = [];
  let rows: readonly Row[] = [];
  let active = -1;
  let resting: ReturnType<typeof setTimeout> | undefined;

  const count = element('span', { class: 'quiet number', attributes: { role: 'status' } });
  const live = announcer();
  const headers = columns.map((column, index) => {
    const cell = element('div', {
      class: `cell ${column.name}`,
      attributes: { role: 'columnheader', 'aria-colindex': index + 1 },
    });
    const sort = element('button', {
      class: 'sort',
      text: column.title,
      attributes: { type: 'button' },
      on: { click: () => sortBy(column.name) },
    });
    cell.append(sort);
    return { column: column.name, cell };
  });
  const nothing = element('p', { class: 'quiet nothing' });
  const filler = element('div', { class: 'filler', attributes: { role: 'rowgroup' } });
  const head = element(
    'div',
    { class: 'table-head', attributes: { role: 'row', 'aria-rowindex': 1 } },
    ...headers.map(({ cell }) => cell),
  );
  const grid = element(
    'div',
    {
      class: 'tensor-table',
      attributes: {
        role: 'grid',
        tabindex: 0,
        'aria-label': t('Tensors'),
        'aria-colcount': columns.length,
      },
    },
    element('div', { class: 'table-top', attributes: { role: 'rowgroup' } }, head),
    filler,
  );
  const root = element(
    'section',
    { class: 'tensors', attributes: { 'aria-labelledby': 'tensors-title' } },
    element(
      'div',
      { class: 'row' },
      element('h2', { class: 'grow', text: t('Tensors'), attributes: { id: 'tensors-title' } }),
      count,
    ),
    textField(options.filterBy, choices.filter, filter => {
      change({ filter });
      arrange();
    }),
    grid,
    nothing,
    live.element,
  );

  function change(part: Partial<TableChoices>): void {
    choices = { ...choices, ...part };
    remember(choices);
  }

  function sortBy(column: string): void {
    const { order } = choices;
    const next: Order | undefined =
      order?.column !== column
        ? { column, descending: false }
        : order.descending
          ? undefined
          : { column, descending: true };
    change({ order: next });
    arrange();
  }

  function arrange(): void {
    rows = arrangeRows(all, choices.filter, choices.order, options);
    active = rows.findIndex(row => nameOf(row) === choices.selected);
    setText(
      count,
      rows.length === all.length
        ? formatInteger(all.length)
        : t('{0} of {1}', formatInteger(rows.length), formatInteger(all.length)),
    );
    grid.hidden = rows.length === 0;
    nothing.hidden = rows.length > 0;
    setText(
      nothing,
      all.length === 0
        ? t('There are no tensors in this file.')
        : options.nothingFits(choices.filter.trim()),
    );
    for (const { column, cell } of headers) {
      const sorted = choices.order?.column === column ? choices.order : undefined;
      cell.setAttribute(
        'aria-sort',
        sorted === undefined ? 'none' : sorted.descending ? 'descending' : 'ascending',
      );
    }
    grid.setAttribute('aria-rowcount', String(rows.length + 1));
    filler.style.setProperty('height', `${rows.length * rowHeight}px`);
    revealActive();
    draw();
  }

  function rowElement(row: Row, index: number): HTMLElement {
    const node = element(
      'div',
      {
        class: 'tensor',
        attributes: {
          role: 'row',
          id: `tensor-${index}`,
          'aria-rowindex': index + 2,
          'aria-selected': String(index === active),
        },
        on: { click: () => activate(index) },
      },
      ...columns.map(({ name, text }, place) =>
        element(
          'div',
          {
            class: `cell ${name}`,
            title: text(row),
            attributes: { role: 'gridcell', 'aria-colindex': place + 1 },
          },
          // Long names lose their beginning, which they share, and keep the end, which tells them apart.
          element('bdi', { text: text(row), attributes: { dir: 'ltr' } }),
        ),
      ),
    );
    node.style.setProperty('transform', `translateY(${index * rowHeight}px)`);
    return node;
  }

  const draw = oncePerFrame(() => {
    const [first, end] = visibleRange(grid.scrollTop, grid.clientHeight, rowHeight, rows.length);
    filler.replaceChildren(
      ...rows.slice(first, end).map((row, index) => rowElement(row, first + index)),
    );
    const shown = active >= first && active < end;
    if (shown) grid.setAttribute('aria-activedescendant', `tensor-${active}`);
    else grid.removeAttribute('aria-activedescendant');
  });

  function activate(index: number): void {
    const row = rows[index];
    if (row === undefined) return;
    active = index;
    change({ selected: nameOf(row) });
    revealActive();
    draw();
    live.say(said(row));
    // Whoever runs through the list does not ask the disk for every tensor on the way.
    clearTimeout(resting);
    resting = setTimeout(() => select(row), 150);
  }

  function revealActive(): void {
    if (active < 0) return;
    const top = active * rowHeight;
    const seen = grid.clientHeight - head.offsetHeight;
    if (top < grid.scrollTop) grid.scrollTop = top;
    else if (top + rowHeight > grid.scrollTop + seen) grid.scrollTop = top + rowHeight - seen;
  }

  grid.addEventListener('keydown', event => {
    if (event.target !== grid || rows.length === 0) return;
    const page = Math.max(1, Math.floor(grid.clientHeight / rowHeight) - 2);
    const targets: Record<string, number> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: rows.length - 1,
      Enter: active,
    };
    const wanted = targets[event.key];
    if (wanted === undefined) return;
    event.preventDefault();
    activate(Math.max(0, Math.min(rows.length - 1, wanted)));
  });
  grid.addEventListener('scroll', draw);
  new ResizeObserver(draw).observe(grid);

  return {
    element: root,
    update: next => {
      all = next;
      arrange();
      const row = rows[active];
      if (row !== undefined) {
        select(row);
      }
    },
  };
}
