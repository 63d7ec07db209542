import { CorruptFileError } from '../../../errors';
import { bytesPerElement, toFloat32 } from '../../elementTypes';
import { computed } from '../../layouts/computed';
import { contiguous } from '../../layouts/contiguous';
import { lessOne } from '../../layouts/lessOne';
import { quantised } from '../../layouts/quantised';
import { reorderedRows } from '../../layouts/reorderedRows';
import { transposed } from '../../layouts/transposed';
import { quoted } from '../../names';
import { elementCount, type TensorInfo } from '../../tensor';
import type { Done } from './architecture';
import type { PlacedTensor } from './tensorTable';

/** A tensor under its own name, as it lies in the file; what is quantised is read as float32. */
export function asStored(
  { name, kind, shape, bytes, begin, file: own }: PlacedTensor,
  file: string,
): TensorInfo {
  const common = { name, shape, file: own ?? file, bytes };
  return 'plain' in kind
    ? { ...common, type: kind.plain, layout: contiguous(kind.plain, begin) }
    : {
        ...common,
        type: 'F32',
        storedAs: kind.blocks.name,
        layout: quantised(kind.blocks, begin, name),
      };
}

/** Heads of queries, and of keys. */
export interface Heads {
  readonly queries: number;
  readonly keys: number;
}

/** A tensor as it was before llama.cpp's converter changed it. @throws CorruptFileError when its shape does not fit that */
export function asBefore(tensor: TensorInfo, done: Done, heads: Heads): TensorInfo {
  const { shape, type, layout } = tensor;
  switch (done) {
    case 'plusOne': {
      const storedAs = tensor.storedAs ?? (type === 'F32' ? undefined : type);
      const widened = { ...tensor, type: 'F32' as const, layout: lessOne(layout, type) };
      return storedAs === undefined ? widened : { ...widened, storedAs };
    }
    case 'transposed': {
      const [columns, rows] = shape;
      if (columns === undefined || rows === undefined || shape.length !== 2) return tensor;
      const matrix = { rows, columns, elementBytes: bytesPerElement(type) };
      return { ...tensor, shape: [rows, columns], layout: transposed(layout, matrix) };
    }
    case 'interleavedQueries':
    case 'interleavedKeys': {
      const count = done === 'interleavedKeys' ? heads.keys : heads.queries;
      const size = wholeHeads(tensor, count, 2);
      return withRows(tensor, row => {
        const [head, unit] = [Math.floor(row / size) * size, row % size];
        return head + (unit < size / 2 ? 2 * unit : 2 * unit - size + 1);
      });
    }
    case 'partsFirst': {
      const size = wholeHeads(tensor, heads.queries, 3) / 3;
      return withRows(tensor, row => {
        const [head, part] = [Math.floor(row / (3 * size)), Math.floor(row / size) % 3];
        return (part * heads.queries + head) * size + (row % size);
      });
    }
  }
}

/** A tensor as llama.cpp's converter changes it: the other way round. @throws CorruptFileError when its shape does not fit that */
export function forFile(tensor: TensorInfo, done: Done, heads: Heads): TensorInfo {
  const { type, layout } = tensor;
  switch (done) {
    case 'plusOne':
      return {
        ...tensor,
        type: 'F32',
        layout: computed(
          layout,
          bytes => new Uint8Array(toFloat32(bytes, type).map(value => value + 1).buffer),
        ),
      };
    case 'transposed':
      return asBefore(tensor, done, heads);
    case 'interleavedQueries':
    case 'interleavedKeys': {
      const count = done === 'interleavedKeys' ? heads.keys : heads.queries;
      const size = wholeHeads(tensor, count, 2);
      return withRows(tensor, row => {
        const [head, unit] = [Math.floor(row / size) * size, row % size];
        return head + (unit % 2) * (size / 2) + Math.floor(unit / 2);
      });
    }
    case 'partsFirst': {
      const size = wholeHeads(tensor, heads.queries, 3) / 3;
      return withRows(tensor, row => {
        const [block, unit] = [Math.floor(row / size), row % size];
        const [part, head] = [Math.floor(block / heads.queries), block % heads.queries];
        return (head * 3 + part) * size + unit;
      });
    }
  }
}

/** Rows of a head, which are so many parts. @throws CorruptFileError when they are not */
function wholeHeads({ name, shape, file }: TensorInfo, heads: number, parts: number): number {
  const size = (shape[0] ?? 0) / heads;
  const isCount = Number.isInteger(heads) && heads > 0;
  if (isCount && Number.isInteger(size / parts)) return size;
  throw new CorruptFileError(
    `${file}: ${quoted(name)} has ${shape[0] ?? 0} rows, which are not those of ${heads} heads.`,
    'Convert the model anew with a current version of llama.cpp.',
  );
}

function withRows(tensor: TensorInfo, storedRow: (row: number) => number): TensorInfo {
  const { shape, type, layout } = tensor;
  const rowLength = elementCount(shape.slice(1));
  if (rowLength === 0 || shape[0] === 0) return tensor;
  const rowBytes = rowLength * bytesPerElement(type);
  return { ...tensor, layout: reorderedRows(layout, { rowBytes, rowLength, storedRow }) };
}
