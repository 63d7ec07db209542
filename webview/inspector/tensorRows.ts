import type { TensorRow } from '../../src/protocol/messages';
import { formatBytes, formatShape } from '../shared/format';
import { t } from '../shared/strings';
import { compareNames, compareShapes, type RowKind } from '../tensors/rows';

/** The tensors of one checkpoint. */
export const tensorRows = (): RowKind<TensorRow> => ({
  columns: [
    {
      name: 'name',
      title: t('Name'),
      text: ({ name }) => name,
      compare: (a, b) => compareNames(a.name, b.name),
    },
    {
      name: 'shape',
      title: t('Shape'),
      text: ({ shape }) => formatShape(shape),
      compare: (a, b) => compareShapes(a.shape, b.shape),
    },
    {
      name: 'type',
      title: t('Type'),
      text: ({ type }) => type,
      compare: (a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0),
    },
    {
      name: 'bytes',
      title: t('Size'),
      text: ({ bytes }) => formatBytes(bytes),
      compare: (a, b) => a.bytes - b.bytes,
    },
  ],
  nameOf: ({ name }) => name,
  searched: ({ name, type, shape }) => `${name} ${type} ${shape.join('x')}`,
  said: ({ name, type, shape }) => `${name}, ${formatShape(shape)}, ${type}`,
});
