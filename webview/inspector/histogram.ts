import type { TensorStatistics } from '../../src/protocol/messages';
import { element, svgElement } from '../shared/dom';
import { formatInteger, formatTick, formatValue } from '../shared/format';
import { t } from '../shared/strings';

const width = 300;
const height = 90;

/** Bar heights 0…1: square roots, so that a thin tail is seen beside a tall middle. */
function barHeights(counts: readonly number[]): readonly number[] {
  const most = Math.max(1, ...counts);
  return counts.map(count => Math.sqrt(count / most));
}

/** A histogram with its numbers under it; all counts are in a table for those who do not see it. */
export function createHistogram({ edges, counts }: TensorStatistics['histogram']): HTMLElement {
  const heights = barHeights(counts);
  const bar = width / Math.max(1, counts.length);
  const bars = heights.map((share, index) => {
    const tall = share * height;
    return svgElement(
      'rect',
      {
        x: index * bar + 0.5,
        y: height - tall,
        width: Math.max(0.5, bar - 1),
        height: tall,
        class: 'histogram-bar',
      },
      svgElement(
        'title',
        {},
        t(
          '{0} to {1}: {2}',
          formatValue(edges[index] ?? NaN),
          formatValue(edges[index + 1] ?? NaN),
          formatInteger(counts[index] ?? 0),
        ),
      ),
    );
  });
  const rows = counts.map((count, index) =>
    element(
      'tr',
      {},
      element('td', { text: formatValue(edges[index] ?? NaN) }),
      element('td', { text: formatValue(edges[index + 1] ?? NaN) }),
      element('td', { text: formatInteger(count) }),
    ),
  );
  return element(
    'figure',
    { class: 'histogram' },
    svgElement(
      'svg',
      { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
      ...bars,
    ),
    element(
      'figcaption',
      { class: 'histogram-numbers number' },
      element('span', { text: formatTick(edges[0] ?? 0) }),
      element('span', { class: 'quiet', text: t('heights are square roots of counts') }),
      element('span', { text: formatTick(edges.at(-1) ?? 0) }),
    ),
    element(
      'div',
      { class: 'visually-hidden' },
      element(
        'table',
        {},
        element('caption', { text: t('Histogram: from, to, count') }),
        element(
          'thead',
          {},
          element(
            'tr',
            {},
            ...[t('From'), t('To'), t('Count')].map(text => element('th', { text })),
          ),
        ),
        element('tbody', {}, ...rows),
      ),
    ),
  );
}
