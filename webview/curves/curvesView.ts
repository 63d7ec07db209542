import type { RunCurves } from '../../src/protocol/messages';
import { element, keyedList, setText, type View } from '../shared/dom';
import { formatInteger, formatLoss, formatMoment } from '../shared/format';
import { statusText } from '../shared/runStatus';
import { t } from '../shared/strings';
import { checkbox, dropdown } from '../shared/ui/components';
import { sampledIndices } from '../run/chartFrame';
import type { ComparedCurve } from '../run/comparedCurves';
import { createComparisonChart } from '../run/comparisonChart';
import { legendItem, swatch } from '../run/comparisonView';
import { drawnLooks, type DrawnLook } from '../run/drawnLooks';
import { drawnCurves, type Shown } from './runCurves';

/** What a person chose for the chart. */
export interface CurvesChoices {
  readonly shown: Shown;
  readonly logarithmic: boolean;
  /** Ids of runs whose curves are not drawn. */
  readonly hidden: readonly string[];
}

/** The curves of several runs in one chart, with their legend and the runs in numbers. */
export function createCurvesView(
  initial: Partial<CurvesChoices>,
  remember: (choices: CurvesChoices) => void,
): View<readonly RunCurves[]> {
  let choices: CurvesChoices = { shown: 'heldOut', logarithmic: false, hidden: [], ...initial };
  let runs: readonly RunCurves[] = [];
  let looks: ReadonlyMap<string, DrawnLook> = new Map();
  const choose = (change: Partial<CurvesChoices>): void => {
    choices = { ...choices, ...change };
    remember(choices);
    refresh();
  };
  const toggle = (id: string): void => {
    const { hidden } = choices;
    const others = hidden.filter(each => each !== id);
    choose({ hidden: others.length < hidden.length ? others : [...hidden, id] });
  };
  const titleOf = (id: string): string => runs.find(run => run.id === id)?.title ?? id;
  const chart = createComparisonChart(() => refresh(), {
    label: t('Loss of each run. Left and right move along a curve, up and down change it.'),
    describe: ({ run: { method } }, { step, loss }) =>
      [
        titleOf(method),
        t('step {0}', formatInteger(step)),
        choices.shown === 'heldOut'
          ? t('held-out loss {0}', formatLoss(loss))
          : t('smoothed {0}', formatLoss(loss)),
      ].join(' · '),
    allHidden: t('All runs are hidden: choose one above.'),
    none: t('None of these runs has such a curve yet.'),
  });
  const legend = element('ul', { class: 'legend-list', attributes: { 'aria-label': t('Runs') } });
  const showLegend = keyedList<RunCurves>(
    legend,
    ({ id }) => id,
    ({ id, title }) =>
      legendItem(title, () => toggle(id), {
        look: () => looks.get(id)!,
        isHidden: () => choices.hidden.includes(id),
      }),
  );
  const rows = element('tbody');
  const showRows = keyedList<RunCurves>(
    rows,
    ({ id }) => id,
    ({ id }) => runRow(() => looks.get(id)!),
  );
  const points = element('table');
  const note = element('p', {
    class: 'quiet small',
    text: t('Batch losses are means over a twentieth of each run.'),
  });

  function refresh(): void {
    looks = drawnLooks(runs.map(({ id }) => id));
    const { shown, logarithmic, hidden } = choices;
    const curves = drawnCurves(runs, shown, new Set(hidden));
    const allHidden = curves.length === 0 && drawnCurves(runs, shown, new Set()).length > 0;
    chart.update({
      curves,
      looks,
      smallLoss: undefined,
      lossUnit: undefined,
      horizontal: 'step',
      logarithmic,
      allHidden,
    });
    note.hidden = shown === 'heldOut';
    showLegend(runs);
    showRows(runs);
    fillPoints(points, curves, titleOf);
  }

  return {
    element: element(
      'div',
      { class: 'stack comparison' },
      element('h1', { text: t('Curves of Runs') }),
      element(
        'section',
        { class: 'card', attributes: { 'aria-labelledby': 'curves-title' } },
        element(
          'div',
          { class: 'row' },
          element('h2', { class: 'grow', text: t('Loss'), attributes: { id: 'curves-title' } }),
          dropdown<Shown>(
            t('Which loss is drawn'),
            [
              { value: 'heldOut', text: t('Held-out loss') },
              { value: 'batch', text: t('Batch loss') },
            ],
            choices.shown,
            shown => choose({ shown }),
          ),
          checkbox(t('Log scale'), choices.logarithmic, logarithmic => choose({ logarithmic })),
        ),
        legend,
        chart.element,
        note,
        element('div', { class: 'visually-hidden' }, points),
      ),
      element(
        'section',
        { class: 'card', attributes: { 'aria-labelledby': 'runs-title' } },
        element('h2', { text: t('Runs'), attributes: { id: 'runs-title' } }),
        element(
          'table',
          { class: 'figures compared-runs' },
          element(
            'thead',
            {},
            element(
              'tr',
              {},
              element('th', { text: t('Run'), attributes: { scope: 'col' } }),
              ...[t('Step'), t('Batch loss'), t('Held-out loss')].map(text =>
                element('th', { class: 'value', text, attributes: { scope: 'col' } }),
              ),
              ...[t('Begun'), t('State')].map(text =>
                element('th', { text, attributes: { scope: 'col' } }),
              ),
            ),
          ),
          rows,
        ),
      ),
    ),
    update: next => {
      runs = next;
      refresh();
    },
  };
}

function runRow(look: () => DrawnLook): View<RunCurves> {
  const sample = swatch();
  const title = element('span');
  const cell = (className = 'value'): HTMLElement => element('td', { class: className });
  const [step, batch, heldOut] = [cell(), cell(), cell()];
  const [begun, state] = [cell(''), cell('')];
  return {
    element: element(
      'tr',
      {},
      element(
        'th',
        { attributes: { scope: 'row' } },
        element('span', { class: 'method-name' }, sample.element, title),
      ),
      ...[step, batch, heldOut, begun, state],
    ),
    update: run => {
      sample.show(look());
      const orNothing = (loss: number | undefined): string =>
        loss === undefined ? '' : formatLoss(loss);
      setText(title, run.title);
      setText(step, formatInteger(run.curve.steps.at(-1) ?? 0));
      setText(batch, orNothing(run.curve.losses.at(-1)));
      setText(heldOut, orNothing(run.heldOut.losses.at(-1)));
      setText(begun, formatMoment(run.created));
      setText(state, statusText(run.status));
    },
  };
}

/** The curves in numbers, for those who cannot see them. */
function fillPoints(
  table: HTMLTableElement,
  curves: readonly ComparedCurve[],
  titleOf: (id: string) => string,
): void {
  const row = (tag: 'th' | 'td', ...cells: string[]): HTMLElement =>
    element('tr', {}, ...cells.map(text => element(tag, { text })));
  table.replaceChildren(
    element('caption', { text: t('Loss of each run') }),
    element('thead', {}, row('th', t('Run'), t('Step'), t('Loss'))),
    element(
      'tbody',
      {},
      ...curves.flatMap(({ run, points }) =>
        sampledIndices(points.length, 20).map(index => {
          const { step, loss } = points[index]!;
          return row('td', titleOf(run.method), formatInteger(step), formatLoss(loss));
        }),
      ),
    ),
  );
}
