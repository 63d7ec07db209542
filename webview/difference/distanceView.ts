import { nameOf, type Distance, type TensorDifference } from '../../src/protocol/differences';
import type { PooledMatrix } from '../../src/protocol/events';
import type { DivergingName } from '../heatmap/colorMaps';
import { element } from '../shared/dom';
import type { Fact } from '../shared/fact';
import { factList } from '../shared/factList';
import { formatInteger, formatShape, formatValue } from '../shared/format';
import { t } from '../shared/strings';
import { createTensorPane } from '../tensors/pane';
import { createTensorPicture } from '../tensors/picture';
import { factsText } from './differenceRows';

/** How far one tensor moved. */
export interface DistanceView {
  readonly element: HTMLElement;
  /** Shows a tensor; true where a picture of its difference is to be asked for. */
  expect(tensor: TensorDifference): boolean;
  /** Shows the picture of a tensor, if it is still the one. */
  show(name: string, picture: PooledMatrix | undefined): void;
  fail(message: string, remedy: string): void;
}

/** Makes the view. */
export function createDistanceView(colorMap: DivergingName): DistanceView {
  let expected: TensorDifference | undefined;
  const facts = factList();
  const picture = createTensorPicture(colorMap);
  const caption = element('h3', { text: t('Second minus first') });
  const drawing = element('div', { class: 'stack' }, caption, picture.element);
  const pane = createTensorPane(
    t('Choose a tensor to see how far it moved.'),
    [],
    facts.element,
    drawing,
  );
  return {
    element: pane.element,
    expect: tensor => {
      expected = tensor;
      const { change, distance } = tensor;
      pane.expect(nameOf(tensor), factsText(tensor));
      if (!distance) {
        pane.say(whyNot(tensor));
        return false;
      }
      facts.update([...otherName(tensor), ...distanceFacts(distance)]);
      if (change !== 'identical') return true;
      drawing.hidden = true;
      pane.show(t('Both hold the same bytes.'));
      return false;
    },
    show: (name, matrix) => {
      if (expected === undefined || nameOf(expected) !== name) return;
      drawing.hidden = matrix === undefined;
      pane.show();
      picture.show(matrix);
    },
    fail: pane.fail,
  };
}

/** What else the second calls a tensor. */
const otherName = ({ before, after }: TensorDifference): readonly Fact[] =>
  before && after && before.name !== after.name
    ? [{ label: t('Name in the second'), value: after.name, wide: true }]
    : [];

/** How far values moved, and how many were left out. */
export function distanceFacts(distance: Distance): readonly Fact[] {
  const { relative, cosine, largest, compared, notFinite } = distance;
  const leftOut =
    notFinite.before + notFinite.after > 0
      ? [
          { label: t('Not finite in the first'), value: formatInteger(notFinite.before) },
          { label: t('Not finite in the second'), value: formatInteger(notFinite.after) },
        ]
      : [];
  return [
    { label: t('Relative distance'), value: formatValue(relative) },
    { label: t('Cosine'), value: formatValue(cosine) },
    { label: t('Largest difference'), value: formatValue(largest) },
    { label: t('Elements compared'), value: formatInteger(compared) },
    ...leftOut,
  ];
}

/** Why there are no numbers of a tensor. */
function whyNot({ change, before, after, reason }: TensorDifference): string {
  switch (change) {
    case 'removed':
      return t('The first checkpoint alone has this tensor.');
    case 'added':
      return t('The second checkpoint alone has this tensor.');
    case 'reshaped':
      return t(
        'It is {0} in the first and {1} in the second, so its values have no counterparts.',
        formatShape(before?.shape ?? []),
        formatShape(after?.shape ?? []),
      );
    case 'unreadable':
      return t('Its bytes are not the same. {0}', reason ?? '');
    default:
      return t('Both hold the same bytes.');
  }
}
