import type { PooledMatrix } from '../../src/protocol/events';
import type { DivergingName } from '../heatmap/colorMaps';
import { createHeatmap } from '../heatmap/heatmap';
import { matrixOf, type Matrix } from '../heatmap/matrix';
import { limitOf, type LimitKind } from '../heatmap/scale';
import { element } from '../shared/dom';
import { t } from '../shared/strings';
import { dropdown } from '../shared/ui/components';

/** A tensor as a heatmap, with a choice of its scale. */
export interface TensorPicture {
  readonly element: HTMLElement;
  /** Hides it where there is nothing to draw. */
  show(picture: PooledMatrix | undefined): void;
}

/** Makes the picture. */
export function createTensorPicture(colorMap: DivergingName): TensorPicture {
  let matrix: Matrix | undefined;
  let limitKind: LimitKind = 'percentile';
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
      draw();
    },
  );
  const root = element('div', { class: 'stack' }, scale, heatmap.element);

  function draw(): void {
    root.hidden = matrix === undefined;
    if (matrix === undefined) return;
    const limit = limitOf([matrix.values], limitKind);
    heatmap.show(matrix, { limit }, { row: t('row'), column: t('column') });
  }

  return {
    element: root,
    show: picture => {
      matrix = picture && matrixOf(picture);
      draw();
    },
  };
}
