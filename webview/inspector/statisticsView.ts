import type { TensorRow, TensorStatistics } from '../../src/protocol/messages';
import type { DivergingName } from '../heatmap/colorMaps';
import { element } from '../shared/dom';
import { factList } from '../shared/factList';
import { formatBytes, formatInteger, formatShape, formatValue } from '../shared/format';
import { t } from '../shared/strings';
import { button } from '../shared/ui/components';
import { createTensorPane } from '../tensors/pane';
import { createTensorPicture } from '../tensors/picture';
import { createHistogram } from './histogram';

/** What is known of one tensor. */
export interface StatisticsView {
  readonly element: HTMLElement;
  /** Shows a tensor whose statistics are being computed. */
  expect(row: TensorRow): void;
  show(statistics: TensorStatistics): void;
  fail(message: string, remedy: string): void;
}

/** Makes the view; `exportTensor` is called when a person wants the tensor as a file. */
export function createStatisticsView(
  colorMap: DivergingName,
  exportTensor: (row: TensorRow) => void,
): StatisticsView {
  let expected: TensorRow | undefined;
  const facts = factList();
  const histogram = element('div');
  const picture = createTensorPicture(colorMap);
  const toFile = button(t('Export…'), () => expected && exportTensor(expected), {
    label: t('Export this tensor as .npy or CSV'),
  });
  const pane = createTensorPane(
    t('Choose a tensor to see what is in it.'),
    [toFile],
    facts.element,
    histogram,
    picture.element,
  );
  return {
    element: pane.element,
    expect: row => {
      expected = row;
      pane.expect(row.name, `${formatShape(row.shape)} · ${row.type} · ${formatBytes(row.bytes)}`);
    },
    show: statistics => {
      if (expected !== undefined && statistics.name !== expected.name) return;
      pane.show(statistics.sampled ? t('Computed from a sample of this very large tensor.') : '');
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
      picture.show(statistics.picture);
    },
    fail: pane.fail,
  };
}
