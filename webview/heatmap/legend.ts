import { element, setText } from '../shared/dom';
import { formatInteger, formatTick, formatValue } from '../shared/format';
import { t } from '../shared/strings';
import { hexColor } from './colorMaps';
import { countBeyond, extentOf, type Scale } from './scale';
import type { ColorTable } from './colorMaps';
import type { Matrix } from './matrix';

/** What the colours mean, in numbers. */
export interface Legend {
  readonly element: HTMLElement;
  update(matrix: Matrix, scale: Scale, table: ColorTable): void;
}

/** Makes a legend: the colours with the numbers they stand for, extent, clipped and NaN counts. */
export function createLegend(): Legend {
  const strip = element('canvas', {
    class: 'legend-strip',
    attributes: { height: 1, 'aria-hidden': 'true' },
  });
  const low = element('span', { class: 'number' });
  const middle = element('span', { class: 'number', text: '0' });
  const high = element('span', { class: 'number' });
  const facts = element('span', { class: 'legend-facts quiet number' });
  const swatch = element('span', { class: 'legend-swatch' });
  const notFiniteText = element('span', { class: 'number' });
  const notFinite = element('span', { class: 'legend-nan' }, swatch, notFiniteText);
  return {
    element: element(
      'div',
      { class: 'legend', attributes: { 'data-testid': 'legend' } },
      element(
        'div',
        { class: 'legend-scale' },
        strip,
        element('div', { class: 'legend-numbers' }, low, middle, high),
      ),
      facts,
      notFinite,
    ),
    update: (matrix, scale, table) => {
      const { colors } = table;
      strip.width = colors.length;
      const context = strip.getContext('2d');
      colors.forEach((color, index) => {
        if (context === null) return;
        context.fillStyle = hexColor(color);
        context.fillRect(index, 0, 1, 1);
      });
      setText(low, table.diverging ? formatTick(-scale.limit) : '0');
      setText(middle, table.diverging ? '0' : formatTick(scale.limit / 2));
      setText(high, formatTick(scale.limit));
      const extent = extentOf(matrix.values);
      const beyond = countBeyond(matrix.values, scale.limit);
      setText(
        facts,
        [
          t('smallest {0}', formatValue(extent.minimum)),
          t('largest {0}', formatValue(extent.maximum)),
          ...(beyond > 0 ? [t('{0} beyond the scale', formatInteger(beyond))] : []),
        ].join(' · '),
      );
      notFinite.hidden = extent.notFinite === 0;
      setText(notFiniteText, t('{0} not finite', formatInteger(extent.notFinite)));
      swatch.style.setProperty('background', hexColor(table.notFinite));
    },
  };
}
