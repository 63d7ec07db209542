import type { FromRunPanel } from '../../src/protocol/messages';
import type { ModelSizes } from '../../src/protocol/model';
import type { ColorMapName } from '../heatmap/colorMaps';
import { exportHeatmap } from '../heatmap/exports';
import { createHeatmap } from '../heatmap/heatmap';
import type { Matrix } from '../heatmap/matrix';
import { limitOf, type LimitKind, type Scale } from '../heatmap/scale';
import { themeTable } from '../heatmap/themeTable';
import { element, oncePerFrame, setText } from '../shared/dom';
import { plural } from '../shared/format';
import { t } from '../shared/strings';
import { onThemeChange } from '../shared/theme';
import { button, dropdown } from '../shared/ui/components';
import { createOperatorGrid } from './operatorGrid';
import { axesOf } from './operatorNames';
import type { PageRun } from './runState';
import { OperatorHistory, type Shown } from './snapshots';
import { createTimeline } from './timeline';

/** What a person chose to look at. */
export interface OperatorChoices {
  readonly operator?: string;
  /** Step of the snapshot; absent means the newest. */
  readonly step?: number | undefined;
  readonly colorMap: ColorMapName;
  readonly limitKind: LimitKind;
  readonly shown: Shown;
}

/** All operators of a run: thumbnails, one of them large, and the slider through time. */
export interface OperatorsView {
  readonly element: HTMLElement;
  update(run: PageRun): void;
  /** Full-resolution values of a finished run's operator; undefined when the host has none. */
  setExact(name: string, shape: readonly [number, number], values: Float32Array | undefined): void;
}

/** Makes the view. */
export function createOperatorsView(
  initial: OperatorChoices,
  remember: (choices: OperatorChoices) => void,
  post: (message: FromRunPanel) => void,
): OperatorsView {
  let choices = initial;
  /** Steps there are pictures of, here or at the host. */
  let steps: readonly number[] = [];
  /** Of the snapshot that is drawn. */
  let index = 0;
  let hasMore = false;
  let askedHistory = false;
  let done = false;
  let source: ModelSizes | undefined;
  let table = themeTable(choices.colorMap);
  const history = new OperatorHistory();
  const exact = new Map<string, Matrix | 'asked' | 'absent'>();

  const heatmap = createHeatmap({ colorMap: choices.colorMap, onCloser: askExact });
  const grid = createOperatorGrid(name => choose({ operator: name }));
  const timeline = createTimeline(next => {
    const newest = next === steps.length - 1;
    choices = { ...choices, step: newest ? undefined : steps[next] };
    remember(choices);
    const shown = moveTo(steps[next]);
    draw();
    return shown;
  });
  const title = element('h3', { class: 'operator-title grow wraps' });
  const note = element('p', { class: 'quiet' });
  const save = (format: 'png' | 'svg' | 'csv'): HTMLElement =>
    button(
      format.toUpperCase(),
      () => {
        const step = history.snapshots[index]?.step ?? 0;
        const what = choices.shown === 'change' ? t('change of {0}', selected() ?? '') : selected();
        const file = exportHeatmap(heatmap, format, `${what ?? ''} ${t('step {0}', step)}`);
        if (file !== undefined) post({ type: 'export', ...file });
      },
      { label: t('Save the operator as {0}', format.toUpperCase()) },
    );
  const controls = element(
    'div',
    { class: 'row operator-controls' },
    dropdown<Shown>(
      t('What is shown'),
      [
        { value: 'values', text: t('Values') },
        { value: 'change', text: t('Change since start') },
      ],
      choices.shown,
      shown => choose({ shown }),
    ),
    dropdown<ColorMapName>(
      t('Colours'),
      [
        { value: 'RdBu', text: t('Red – blue') },
        { value: 'PuOr', text: t('Orange – purple') },
        { value: 'cividis', text: t('Magnitude') },
      ],
      choices.colorMap,
      colorMap => {
        table = themeTable(colorMap);
        heatmap.setColorMap(colorMap);
        choose({ colorMap });
      },
    ),
    dropdown<LimitKind>(
      t('Scale'),
      [
        { value: 'maximum', text: t('Full scale') },
        { value: 'percentile', text: t('99.5 % scale') },
      ],
      choices.limitKind,
      limitKind => choose({ limitKind }),
    ),
  );
  const missing = element('p', { class: 'quiet' });
  const empty = element('p', {
    class: 'quiet',
    text: t('The operators appear here with the first step.'),
  });
  const body = element(
    'div',
    { class: 'operators' },
    grid.element,
    element(
      'div',
      { class: 'operator-detail' },
      element(
        'div',
        { class: 'row' },
        title,
        element('div', { class: 'actions' }, save('png'), save('svg'), save('csv')),
      ),
      controls,
      heatmap.element,
      note,
    ),
  );
  const root = element(
    'section',
    { class: 'card', attributes: { 'aria-labelledby': 'operators-title' } },
    element(
      'div',
      { class: 'row operators-head' },
      element('h2', { text: t('Operators'), attributes: { id: 'operators-title' } }),
      timeline.element,
    ),
    empty,
    body,
    missing,
  );

  /** Has the snapshot of a step drawn, or asks for the history where it is not here; false then. */
  function moveTo(step: number | undefined): boolean {
    // The last picture of learning and the final one may be of one step.
    const found = history.snapshots.findLastIndex(snapshot => snapshot.step === step);
    if (found >= 0) index = found;
    else askHistory();
    return found >= 0;
  }

  /** The host keeps what was before the newest picture until somebody looks. */
  function askHistory(): void {
    if (askedHistory) return;
    askedHistory = true;
    post({ type: 'history' });
  }

  const selected = (): string | undefined => {
    const operators = history.snapshots.at(-1)?.operators ?? [];
    const wanted = operators.find(({ name }) => name === choices.operator);
    return (wanted ?? operators.find(({ group }) => group === 'depth') ?? operators[0])?.name;
  };

  function choose(change: Partial<OperatorChoices>): void {
    choices = { ...choices, ...change };
    remember(choices);
    // Changes are told since the first snapshot.
    if (choices.shown === 'change' && hasMore) askHistory();
    draw();
  }

  const scaleOf = (name: string): Scale => ({
    limit: history.limit(name, choices.limitKind, choices.shown),
  });

  const draw = oncePerFrame(() => {
    const name = selected();
    if (name === undefined) return;
    grid.draw(other => {
      const matrix = history.matrix(other, index, choices.shown);
      return matrix && { matrix, scale: scaleOf(other) };
    }, table);
    grid.select(name);
    const operator = history.snapshots.at(-1)?.operators.find(other => other.name === name);
    const pooled = history.matrix(name, index, choices.shown);
    if (operator === undefined || pooled === undefined) return;
    setText(title, name);
    const atEnd = index === history.snapshots.length - 1 && choices.shown === 'values';
    const whole = atEnd ? exact.get(name) : undefined;
    const isPooled = pooled.rows !== pooled.shape[0] || pooled.columns !== pooled.shape[1];
    const hasWhole = typeof whole === 'object';
    const scale = scaleOf(name);
    heatmap.show(
      hasWhole ? whole : pooled,
      // Pooling by magnitude skews a percentile; exact values have their own.
      hasWhole && choices.limitKind === 'percentile'
        ? { limit: limitOf([whole.values], 'percentile') }
        : scale,
      axesOf(operator, source),
    );
    const pooledNote = t('Each cell is the value of largest magnitude of those it stands for.');
    const asked = whole === 'asked' ? ` ${t('Reading exact values…')}` : '';
    const absent = whole === 'absent' ? ` ${t('Exact values are not to be had.')}` : '';
    const closer = done && atEnd && whole === undefined ? ` ${t('Zoom in for exact values.')}` : '';
    setText(note, isPooled && !hasWhole ? pooledNote + asked + absent + closer : '');
    note.hidden = note.textContent === '';
  });

  function askExact(): void {
    const name = selected();
    const pooled = name === undefined ? undefined : history.matrix(name, index, 'values');
    const atEnd = index === history.snapshots.length - 1 && choices.shown === 'values';
    if (!done || !atEnd || name === undefined || pooled === undefined || exact.has(name)) return;
    if (pooled.rows === pooled.shape[0] && pooled.columns === pooled.shape[1]) return;
    exact.set(name, 'asked');
    post({ type: 'exactOperator', name });
    draw();
  }

  onThemeChange(() => {
    table = themeTable(choices.colorMap);
    draw();
  });

  return {
    element: root,
    update: run => {
      done = run.summary.status === 'done';
      source = run.plan?.source;
      if (!done) exact.clear();
      history.set(run.snapshots);
      const waiting = run.history ?? [];
      hasMore = waiting.length > 0;
      if (!hasMore) askedHistory = false;
      steps = [...run.snapshots.map(({ step }) => step), ...waiting].sort((a, b) => a - b);
      const remembered = choices.step === undefined ? -1 : steps.indexOf(choices.step);
      const position = remembered >= 0 ? remembered : steps.length - 1;
      const newest = run.snapshots.length - 1;
      if (index > newest || position === steps.length - 1) index = Math.max(0, newest);
      const shown = steps.length === 0 || moveTo(steps[position]);
      if (choices.shown === 'change' && hasMore) askHistory();
      timeline.update(steps, position, !shown);
      timeline.element.hidden = steps.length === 0;
      grid.setOperators(run.snapshots.at(-1)?.operators ?? []);
      const omitted = run.snapshots.at(-1)?.omitted ?? 0;
      setText(
        missing,
        omitted > 0
          ? plural(
              omitted,
              '{0} more operator has no picture here.',
              '{0} more operators have no picture here.',
            )
          : '',
      );
      missing.hidden = omitted === 0;
      empty.hidden = steps.length > 0;
      body.hidden = run.snapshots.length === 0;
      draw();
    },
    setExact: (name, shape, values) => {
      const matrix = values && { name, shape, rows: shape[0], columns: shape[1], values };
      exact.set(name, matrix ?? 'absent');
      draw();
    },
  };
}
