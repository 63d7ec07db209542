import type { ComparedRun, ComparisonDetail } from '../../src/protocol/messages';
import { methodTitle } from '../../src/protocol/methodTitles';
import { element, keyedList, setText, svgElement, type View } from '../shared/dom';
import { formatDuration, formatFlops, formatInteger, formatLoss } from '../shared/format';
import { t } from '../shared/strings';
import { checkbox, dropdown } from '../shared/ui/components';
import { sampledIndices } from './chartFrame';
import { curvesOf, methodsOf, type ComparedCurve, type Horizontal } from './comparedCurves';
import { createComparisonChart } from './comparisonChart';
import { drawnLooks, type DrawnLook } from './drawnLooks';

/** What a person chose for the chart of a comparison. */
export interface ComparisonChoices {
  readonly horizontal: Horizontal;
  readonly logarithmic: boolean;
  /** Methods whose curves are not drawn. */
  readonly hidden: readonly string[];
}

/** The chart with its legend and settings, and the table of runs. */
export function createComparisonView(
  initial: ComparisonChoices,
  remember: (choices: ComparisonChoices) => void,
): View<ComparisonDetail> {
  let choices = initial;
  let shown: ComparisonDetail = { smallLoss: undefined, models: [], runs: [] };
  const choose = (change: Partial<ComparisonChoices>): void => {
    choices = { ...choices, ...change };
    remember(choices);
    refresh();
  };
  const toggle = (method: string): void => {
    const { hidden } = choices;
    const others = hidden.filter(each => each !== method);
    choose({ hidden: others.length < hidden.length ? others : [...hidden, method] });
  };
  const chart = createComparisonChart(() => refresh());
  const legend = element('ul', {
    class: 'legend-list',
    attributes: { 'aria-label': t('Methods') },
  });
  const rows = element('tbody');
  const seedHeading = heading(t('Seed'));
  const points = element('table');

  let looks: ReadonlyMap<string, DrawnLook> = new Map();
  const showLegend = keyedList<string>(
    legend,
    method => method,
    method =>
      legendItem(methodTitle(method), () => toggle(method), {
        look: () => looks.get(method)!,
        isHidden: () => choices.hidden.includes(method),
      }),
  );
  const showRows = keyedList<ComparedRun>(
    rows,
    ({ method, seed }) => `${method}:${seed}`,
    run => runRow(run, () => looks.get(run.method)!),
  );

  function refresh(): void {
    const { runs, smallLoss, lossUnit } = shown;
    const methods = methodsOf(runs);
    looks = drawnLooks(methods);
    const { horizontal, logarithmic, hidden } = choices;
    const curves = curvesOf(runs, new Set(hidden));
    const allHidden = curves.length === 0 && curvesOf(runs, new Set()).length > 0;
    chart.update({ curves, looks, smallLoss, lossUnit, horizontal, logarithmic, allHidden });
    showLegend(methods);
    seedHeading.hidden = new Set(runs.map(({ seed }) => seed)).size < 2;
    rows.classList.toggle('one-seed', seedHeading.hidden);
    showRows([...runs].sort((a, b) => methods.indexOf(a.method) - methods.indexOf(b.method)));
    fillPoints(points, curves);
  }

  return {
    element: element(
      'div',
      { class: 'stack comparison' },
      element(
        'section',
        { class: 'card', attributes: { 'aria-labelledby': 'comparison-title' } },
        element(
          'div',
          { class: 'row' },
          element('h2', {
            class: 'grow',
            text: t('Held-out loss'),
            attributes: { id: 'comparison-title' },
          }),
          dropdown<Horizontal>(
            t('Draw the loss against'),
            [
              { value: 'flops', text: t('against computation') },
              { value: 'seconds', text: t('against time') },
              { value: 'step', text: t('against steps') },
            ],
            choices.horizontal,
            horizontal => choose({ horizontal }),
          ),
          checkbox(t('Log scale'), choices.logarithmic, logarithmic => choose({ logarithmic })),
        ),
        legend,
        chart.element,
        element('p', {
          class: 'quiet small',
          text: t('Computation and time include the growth; evaluations are not counted.'),
        }),
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
              element('th', { text: t('Method'), attributes: { scope: 'col' } }),
              seedHeading,
              heading(t('Start loss')),
              heading(t('Last loss')),
              heading(t('Step'), 'value spent'),
              heading(t('Computation'), 'value spent'),
              heading(t('Time'), 'value spent'),
              element('th', { text: t('State'), attributes: { scope: 'col' } }),
            ),
          ),
          rows,
        ),
      ),
    ),
    update: next => {
      shown = next;
      refresh();
    },
  };
}

const heading = (text: string, className = 'value'): HTMLElement =>
  element('th', { class: className, text, attributes: { scope: 'col' } });

/** A piece of the curve's line. */
export function swatch(): { readonly element: Element; show(look: DrawnLook): void } {
  const line = svgElement('line', { x1: 0, y1: 5, x2: 30, y2: 5, 'stroke-width': 3 });
  const picture = svgElement(
    'svg',
    { class: 'swatch', width: 30, height: 10, 'aria-hidden': 'true' },
    line,
  );
  return {
    element: picture,
    show: ({ color, dash }) => {
      line.setAttribute('stroke', color);
      line.setAttribute('stroke-dasharray', dash.length === 0 ? 'none' : dash.join(' '));
    },
  };
}

/** A button that shows and hides what is called so. */
export function legendItem<T>(
  title: string,
  onClick: () => void,
  state: { readonly look: () => DrawnLook; readonly isHidden: () => boolean },
): View<T> {
  const sample = swatch();
  const button = element(
    'button',
    {
      class: 'legend-button',
      attributes: { type: 'button', title: t('Show or hide {0}', title) },
      on: { click: onClick },
    },
    sample.element,
    element('span', { text: title }),
  );
  return {
    element: element('li', {}, button),
    update: () => {
      sample.show(state.look());
      button.setAttribute('aria-pressed', String(!state.isHidden()));
    },
  };
}

/** Where a run stands, in words. */
function stateText({ state, message }: ComparedRun): string {
  const texts: Record<ComparedRun['state'], string> = {
    waiting: t('waiting'),
    growing: t('growing'),
    training: t('training'),
    finished: t('finished'),
    failed: message === undefined ? t('failed') : t('failed: {0}', message),
  };
  return texts[state];
}

function runRow(first: ComparedRun, look: () => DrawnLook): View<ComparedRun> {
  const sample = swatch();
  const cell = (className = 'value'): HTMLElement => element('td', { class: className });
  const [start, last] = [cell(), cell()];
  const spent = (): HTMLElement => cell('value spent');
  const [step, flops, seconds] = [spent(), spent(), spent()];
  const state = cell('run-state');
  return {
    element: element(
      'tr',
      {},
      element(
        'th',
        { attributes: { scope: 'row' } },
        element('span', { class: 'method-name' }, sample.element, methodTitle(first.method)),
      ),
      element('td', { class: 'value seed', text: String(first.seed) }),
      ...[start, last, step, flops, seconds, state],
    ),
    update: run => {
      sample.show(look());
      const [begin, end] = [run.curve[0], run.curve.at(-1)];
      setText(start, begin === undefined ? '' : formatLoss(begin.loss));
      setText(last, end === undefined ? '' : formatLoss(end.loss));
      setText(step, end === undefined ? '' : formatInteger(end.step));
      setText(flops, end === undefined ? '' : formatFlops(end.flops));
      setText(seconds, end === undefined ? '' : formatDuration(end.seconds));
      setText(state, stateText(run));
      state.dataset['state'] = run.state;
    },
  };
}

/** The curves in numbers, for those who cannot see them. */
function fillPoints(table: HTMLTableElement, curves: readonly ComparedCurve[]): void {
  const row = (tag: 'th' | 'td', ...cells: string[]): HTMLElement =>
    element('tr', {}, ...cells.map(text => element(tag, { text })));
  table.replaceChildren(
    element('caption', { text: t('Held-out loss of each run') }),
    element('thead', {}, row('th', t('Run'), t('Step'), t('Computation'), t('Time'), t('Loss'))),
    element(
      'tbody',
      {},
      ...curves.flatMap(({ run, points }) =>
        sampledIndices(points.length, 20).map(index => {
          const { step, flops, seconds, loss } = points[index]!;
          return row(
            'td',
            t('{0}, seed {1}', methodTitle(run.method), run.seed),
            formatInteger(step),
            formatFlops(flops),
            formatDuration(seconds),
            formatLoss(loss),
          );
        }),
      ),
    ),
  );
}
