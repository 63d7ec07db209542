import type { TensorRow, TensorStatistics } from '../../src/protocol/messages';
import type { DivergingName } from '../heatmap/colorMaps';
import { createHeatmap } from '../heatmap/heatmap';
import { matrixOf, type Matrix } from '../heatmap/matrix';
import { limitOf, type LimitKind } from '../heatmap/scale';
import { element, setText } from '../shared/dom';
import { factList } from '../shared/factList';
import { formatBytes, formatInteger, formatShape, formatValue } from '../shared/format';
import { t } from '../shared/strings';
import { dropdown } from '../shared/ui/components';
import { createHistogram } from './histogram';

/** What is known of one tensor. */
export interface StatisticsView {
  readonly element: HTMLElement;
  /** Shows a tensor whose statistics are being computed. */
  expect(row: TensorRow): void;
  show(statistics: TensorStatistics): void;
  fail(message: string, remedy: string): void;
}

/** Makes the view. */
export function createStatisticsView(colorMap: DivergingName): StatisticsView {
  let expected: TensorRow | undefined;
  let matrix: Matrix | undefined;
  let limitKind: LimitKind = 'percentile';
  const title = element('h2', { class: 'tensor-title' });
  const subtitle = element('p', { class: 'quiet number' });
  const status = element('p', { class: 'quiet', attributes: { role: 'status' } });
  const failure = element('div', { class: 'notice bad', attributes: { role: 'alert' } });
  const facts = factList();
  const histogram = element('div');
  const heatmap = createHeatmap({ colorMap });
  const scale = dropdown<LimitKind>(
    t('Scale'),
    [
      { value: 'percentile', text: t('99.5 % scale') },
      { value: 'maximum', text: t('Full scale') },
    ],
    limitKind,
    kind => {
      limitKind = kind;
      drawPicture();
    },
  );
  const picture = element('div', { class: 'stack' }, scale, heatmap.element);
  const content = element('div', { class: 'stack' }, facts.element, histogram, picture);
  failure.hidden = content.hidden = true;
  setText(status, t('Choose a tensor to see what is in it.'));

  function drawPicture(): void {
    picture.hidden = matrix === undefined;
    if (matrix === undefined) return;
    const limit = limitOf([matrix.values], limitKind);
    heatmap.show(matrix, { limit }, { row: t('row'), column: t('column') });
  }

  return {
    element: element(
      'section',
      { class: 'statistics', attributes: { 'aria-label': t('Tensor') } },
      title,
      subtitle,
      status,
      failure,
      content,
    ),
    expect: row => {
      if (expected === row) return;
      expected = row;
      setText(title, row.name);
      setText(subtitle, `${formatShape(row.shape)} · ${row.type} · ${formatBytes(row.bytes)}`);
      setText(status, t('Reading…'));
      status.hidden = false;
      failure.hidden = content.hidden = true;
    },
    show: statistics => {
      if (expected !== undefined && statistics.name !== expected.name) return;
      matrix = statistics.picture && matrixOf(statistics.picture);
      setText(status, t('Computed from a sample of this very large tensor.'));
      status.hidden = !statistics.sampled;
      failure.hidden = true;
      content.hidden = false;
      facts.update([
        { label: t('Mean'), value: formatValue(statistics.mean) },
        { label: t('Standard deviation'), value: formatValue(statistics.standardDeviation) },
        { label: t('Smallest'), value: formatValue(statistics.minimum) },
        { label: t('Largest'), value: formatValue(statistics.maximum) },
        { label: t('Elements'), value: formatInteger(statistics.count) },
        { label: t('Zeros'), value: formatInteger(statistics.zeros) },
        { label: t('Not finite'), value: formatInteger(statistics.notFinite) },
      ]);
      histogram.replaceChildren(createHistogram(statistics.histogram));
      drawPicture();
    },
    fail: (message, remedy) => {
      status.hidden = content.hidden = true;
      failure.hidden = false;
      failure.replaceChildren(element('p', { text: message }), element('p', { text: remedy }));
    },
  };
}
