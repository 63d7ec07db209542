import {
  nameOf,
  tensorChanges,
  type Distance,
  type TensorDifference,
} from '../../src/protocol/differences';
import type { TensorRow } from '../../src/protocol/messages';
import { formatShape, formatTick, formatValue } from '../shared/format';
import { t } from '../shared/strings';
import { compareNames, compareShapes, type Column, type RowKind } from '../tensors/rows';
import { changeWord } from './words';

/** The tensors of two checkpoints. */
export const differenceRows = (): RowKind<TensorDifference> => ({
  columns: [
    {
      name: 'name',
      title: t('Name'),
      text: namesText,
      compare: (a, b) => compareNames(nameOf(a), nameOf(b)),
    },
    {
      name: 'change',
      title: t('Change'),
      text: ({ change }) => changeWord(change),
      compare: (a, b) => tensorChanges.indexOf(a.change) - tensorChanges.indexOf(b.change),
    },
    {
      name: 'shape',
      title: t('Shape'),
      text: shapesText,
      compare: (a, b) => compareShapes(eitherOf(a)?.shape ?? [], eitherOf(b)?.shape ?? []),
    },
    {
      name: 'type',
      title: t('Type'),
      text: typesText,
      compare: (a, b) => compareNames(typesText(a), typesText(b)),
    },
    numbers('relative', t('Relative'), ({ relative }) => relative, formatTick),
    numbers('cosine', t('Cosine'), ({ cosine }) => cosine, formatValue),
    numbers('largest', t('Largest'), ({ largest }) => largest, formatTick),
  ],
  nameOf,
  searched: tensor =>
    [
      namesText(tensor),
      changeWord(tensor.change),
      typesText(tensor),
      ...sidesOf(tensor).map(({ shape }) => shape.join('x')),
    ].join(' '),
  said: tensor =>
    [
      namesText(tensor),
      changeWord(tensor.change),
      ...(tensor.distance ? [t('relative {0}', formatValue(tensor.distance.relative))] : []),
    ].join(', '),
});

/** A column of how far values moved, from the smallest to the largest; first where there is nothing. */
function numbers(
  name: string,
  title: string,
  of: (distance: Distance) => number,
  format: (value: number) => string,
): Column<TensorDifference> {
  const rank = ({ distance }: TensorDifference): number => {
    const value = distance ? of(distance) : NaN;
    return Number.isNaN(value) ? -Infinity : value;
  };
  return {
    name,
    title,
    text: ({ distance }) => {
      if (!distance) return '';
      const value = of(distance);
      return Number.isFinite(value) ? format(value) : formatValue(value);
    },
    compare: (a, b) => {
      const [x, y] = [rank(a), rank(b)];
      return x === y ? 0 : x - y;
    },
  };
}

const eitherOf = ({ before, after }: TensorDifference): TensorRow | undefined => before ?? after;

const sidesOf = ({ before, after }: TensorDifference): readonly TensorRow[] =>
  [before, after].filter(side => side !== undefined);

/** What the first says and the second, once where it is the same. */
const both = (tensor: TensorDifference, textOf: (row: TensorRow) => string): string =>
  [...new Set(sidesOf(tensor).map(textOf))].join(' → ');

const namesText = (tensor: TensorDifference): string => both(tensor, ({ name }) => name);
const typesText = (tensor: TensorDifference): string => both(tensor, ({ type }) => type);
const shapesText = (tensor: TensorDifference): string =>
  both(tensor, ({ shape }) => formatShape(shape));

/** Types and shapes, below a name. */
export const factsText = (tensor: TensorDifference): string =>
  `${shapesText(tensor)} · ${typesText(tensor)}`;
