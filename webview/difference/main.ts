import {
  tensorChanges,
  type CheckpointDifference,
  type ComparedNames,
  type FromDifference,
  type ToDifference,
} from '../../src/protocol/differences';
import type { PageOptions } from '../../src/protocol/messages';
import { element, pageRoot, setText } from '../shared/dom';
import { factList } from '../shared/factList';
import { formatInteger } from '../shared/format';
import { connect } from '../shared/host';
import { notice } from '../shared/notice';
import { setStrings, t } from '../shared/strings';
import { button } from '../shared/ui/components';
import { createTensorTable, type TableChoices } from '../tensors/table';
import { differenceRows } from './differenceRows';
import { createDistanceView, distanceFacts, type DistanceView } from './distanceView';
import { changeWord } from './words';
import './difference.css';

/** What the page remembers over hiding and reloading; the paths are for the window that brings it back. */
interface State {
  readonly table: TableChoices;
  readonly before: string;
  readonly after: string;
}

const host = connect<ToDifference, FromDifference, State>(receive);
let colorMap: PageOptions['colorMap'] = 'RdBu';
let view: DistanceView | undefined;
let waiting: HTMLElement | undefined;
let shown: Extract<ToDifference, { type: 'difference' }> | undefined;

function receive(message: ToDifference): void {
  switch (message.type) {
    case 'options':
      setStrings(message.options.strings);
      colorMap = message.options.colorMap;
      if (shown !== undefined) showDifference(shown);
      return;
    case 'comparing':
      showProgress(message.names, message.progress);
      return;
    case 'cancelled':
      showInstead(
        message.names,
        element('p', { text: t('The comparison was cancelled.'), attributes: { role: 'status' } }),
        button(t('Compare Again'), () => host.post({ type: 'compare' }), { look: 'primary' }),
      );
      return;
    case 'difference':
      shown = message;
      showDifference(message);
      return;
    case 'picture':
      view?.show(message.name, message.picture);
      return;
    case 'failed':
      if (message.picture) view?.fail(message.message, message.remedy);
      else {
        shown = waiting = view = undefined;
        pageRoot().replaceChildren(
          notice(message.message, message.remedy, 'alert'),
          element(
            'div',
            { class: 'row' },
            button(t('Compare Again'), () => host.post({ type: 'compare' })),
          ),
        );
      }
  }
}

function header(names: ComparedNames, ...buttons: readonly HTMLElement[]): HTMLElement {
  const paths = factList('paths');
  paths.update([
    { label: t('First'), value: names.before.path },
    { label: t('Second'), value: names.after.path },
  ]);
  const title = `${names.before.name} → ${names.after.name}`;
  return element(
    'header',
    { class: 'stack' },
    element(
      'div',
      { class: 'row' },
      element('h1', { class: 'grow wraps', text: title }),
      ...buttons,
    ),
    paths.element,
  );
}

function showInstead(names: ComparedNames, ...parts: readonly HTMLElement[]): void {
  shown = waiting = view = undefined;
  host.remember({ before: names.before.path, after: names.after.path });
  pageRoot().replaceChildren(header(names), element('div', { class: 'row' }, ...parts));
}

function showProgress(names: ComparedNames, progress: string): void {
  const text = progress === '' ? t('Comparing weights…') : t('Comparing weights: {0}', progress);
  if (waiting === undefined) {
    const status = element('p', { class: 'number', attributes: { role: 'status' } });
    showInstead(
      names,
      status,
      button(t('Cancel'), () => host.post({ type: 'cancel' })),
    );
    waiting = status;
  }
  setText(waiting, text);
}

function showDifference({
  names,
  difference,
}: Extract<ToDifference, { type: 'difference' }>): void {
  waiting = undefined;
  host.remember({ before: names.before.path, after: names.after.path });
  const distances = createDistanceView(colorMap);
  view = distances;
  const table = createTensorTable({
    ...differenceRows(),
    filterBy: t('Filter by name, change, shape or type'),
    nothingFits: filter => t('No tensor has “{0}” in its name, change, shape or type.', filter),
    // What differs most comes first.
    initial: host.state.table ?? { filter: '', order: { column: 'change', descending: false } },
    remember: choices => host.remember({ table: choices }),
    select: tensor => {
      const isAsked = distances.expect(tensor);
      const { before, after } = tensor;
      if (!isAsked || before === undefined || after === undefined) return;
      host.post({ type: 'picture', before: before.name, after: after.name });
    },
  });
  pageRoot().replaceChildren(
    header(
      names,
      button(t('Swap'), () => host.post({ type: 'swap' }), {
        label: t('Swap: compare the second with the first'),
      }),
      button(t('Compare Again'), () => host.post({ type: 'compare' })),
    ),
    summary(difference),
    element('div', { class: 'panes' }, table.element, distances.element),
  );
  table.update(difference.tensors);
}

/** How many tensors are what, and how far all of them moved together. */
function summary({ tensors, whole, notes }: CheckpointDifference): HTMLElement {
  const counts = factList('facts counts');
  counts.update(
    tensorChanges
      .map(change => ({
        label: changeWord(change),
        count: tensors.filter(tensor => tensor.change === change).length,
      }))
      .filter(({ count }) => count > 0)
      .map(({ label, count }) => ({ label, value: formatInteger(count) })),
  );
  const facts = factList('facts');
  facts.update(whole ? distanceFacts(whole) : []);
  const { before = 0, after = 0 } = whole?.notFinite ?? {};
  return element(
    'div',
    { class: 'stack summary' },
    counts.element,
    facts.element,
    before + after > 0
      ? notice(
          t('Some values are NaN or infinite.'),
          t('They are left out of every distance here, and counted.'),
        )
      : undefined,
    ...notes.map(({ message, remedy }) => notice(message, remedy)),
  );
}

pageRoot().replaceChildren(
  element('p', { class: 'quiet', text: t('Reading…'), attributes: { role: 'status' } }),
);
host.post({ type: 'ready' });
