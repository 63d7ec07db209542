import type {
  FromInspector,
  InspectedCheckpoint,
  PageOptions,
  ToInspector,
} from '../../src/protocol/messages';
import { element, pageRoot } from '../shared/dom';
import { factList } from '../shared/factList';
import { connect } from '../shared/host';
import { notice } from '../shared/notice';
import { setStrings, t } from '../shared/strings';
import { button } from '../shared/ui/components';
import { createStatisticsView, type StatisticsView } from './statisticsView';
import { createTensorTable, type TableChoices } from '../tensors/table';
import { tensorRows } from './tensorRows';
import './inspector.css';

/** What the page remembers over hiding and reloading. */
interface State {
  readonly table: TableChoices;
}

const host = connect<ToInspector, FromInspector, State>(receive);
let colorMap: PageOptions['colorMap'] = 'RdBu';
let checkpoint: InspectedCheckpoint | undefined;
let statistics: StatisticsView | undefined;

function receive(message: ToInspector): void {
  switch (message.type) {
    case 'options':
      setStrings(message.options.strings);
      colorMap = message.options.colorMap;
      if (checkpoint !== undefined) show(checkpoint);
      return;
    case 'checkpoint':
      checkpoint = message.checkpoint;
      show(checkpoint);
      return;
    case 'statistics':
      statistics?.show(message.statistics);
      return;
    case 'failed':
      if (statistics !== undefined) statistics.fail(message.message, message.remedy);
      else pageRoot().replaceChildren(notice(message.message, message.remedy, 'alert'));
  }
}

/** A list that opens on demand; nothing where it is empty. */
function drawer(
  title: string,
  rows: readonly (readonly [string, string])[],
): HTMLElement | undefined {
  if (rows.length === 0) return undefined;
  return element(
    'details',
    {},
    element('summary', { text: `${title} (${rows.length})` }),
    element(
      'dl',
      { class: 'pairs' },
      ...rows.map(([name, value]) =>
        element(
          'div',
          {},
          element('dt', {}, element('code', { text: name })),
          element('dd', { text: value }),
        ),
      ),
    ),
  );
}

function show(shown: InspectedCheckpoint): void {
  const facts = factList('facts');
  facts.update(shown.facts);
  const view = createStatisticsView(colorMap, ({ name }) => host.post({ type: 'export', name }));
  statistics = view;
  const table = createTensorTable({
    ...tensorRows(),
    filterBy: t('Filter by name, type or shape'),
    nothingFits: filter => t('No tensor has “{0}” in its name, type or shape.', filter),
    initial: host.state.table ?? { filter: '' },
    remember: choices => host.remember({ table: choices }),
    select: row => {
      view.expect(row);
      host.post({ type: 'statistics', name: row.name });
    },
  });
  const { name } = shown;
  pageRoot().replaceChildren(
    element(
      'header',
      { class: 'stack' },
      element(
        'div',
        { class: 'row' },
        element('h1', { class: 'grow wraps', text: name, title: shown.path }),
        ...(shown.canGrow
          ? [button(t('Grow Model…'), () => host.post({ type: 'grow' }), { look: 'primary' })]
          : []),
      ),
      element('p', { class: 'quiet wraps', text: shown.path }),
      facts.element,
      ...shown.problems.map(({ message, remedy }) => notice(message, remedy, 'alert')),
      ...shown.notes.map(({ message, remedy }) => notice(message, remedy)),
      drawer(t('Metadata'), Object.entries(shown.metadata)),
      drawer(
        t('Tensors that are left out'),
        shown.ignored.map(({ name: tensor, reason }) => [tensor, reason] as const),
      ),
    ),
    element('div', { class: 'panes' }, table.element, view.element),
  );
  table.update(shown.tensors);
}

pageRoot().replaceChildren(
  element('p', { class: 'quiet', text: t('Reading…'), attributes: { role: 'status' } }),
);
host.post({ type: 'ready' });
