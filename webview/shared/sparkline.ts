import { svgElement } from './dom';

const width = 100;
const height = 28;

/** Path data of a curve scaled to 100 × 28, one pixel clear above and below; gaps at non-finite values. */
function sparklinePath(values: readonly number[]): string {
  const finite = values.filter(Number.isFinite);
  const lowest = Math.min(...finite);
  const range = Math.max(...finite) - lowest || 1;
  let pen = 'M';
  let path = '';
  values.forEach((value, index) => {
    if (!Number.isFinite(value)) {
      pen = 'M';
      return;
    }
    const x = values.length === 1 ? 0 : (index / (values.length - 1)) * width;
    const y = 1.5 + (1 - (value - lowest) / range) * (height - 3);
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = 'L';
  });
  return path;
}

/** A curve without axes; what it means is said in words beside it. */
export function sparkline(): {
  readonly element: SVGElement;
  update(values: readonly number[]): void;
} {
  const line = svgElement('path', {
    class: 'sparkline-line',
    'vector-effect': 'non-scaling-stroke',
  });
  const area = svgElement('path', { class: 'sparkline-area' });
  const element = svgElement(
    'svg',
    {
      class: 'sparkline',
      viewBox: `0 0 ${width} ${height}`,
      preserveAspectRatio: 'none',
      'aria-hidden': 'true',
    },
    area,
    line,
  );
  return {
    element,
    update: values => {
      const path = sparklinePath(values);
      line.setAttribute('d', path);
      const whole = values.length > 1 && values.every(Number.isFinite);
      area.setAttribute('d', whole ? `${path}L${width} ${height}L0 ${height}Z` : '');
    },
  };
}
