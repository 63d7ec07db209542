import { extname, resolve } from 'node:path';
import { realpath } from 'node:fs/promises';
import { listCheckpoint, type Checkpoint, type TensorInfo } from '../checkpoint/checkpoint';
import { isReadableType, noValues, toFloat32, type StoredType } from '../checkpoint/elementTypes';
import { arrayHeader, isArrayType } from '../checkpoint/formats/numpy/write';
import { writeOutputFile, type Append } from '../checkpoint/outputFile';
import { elementCount } from '../checkpoint/tensor';
import { UserError } from '../errors';
import { formatBytes, formatCount } from '../format';
import type { ExportedTensor, ExportFormat } from '../protocol/exports';
import { requireGoingOn } from './stopping';
import { csvRows, elementTexts } from './csv';
import { asMatrix, partsOf } from './parts';

/** Elements of a CSV at most: some 2 GB of text, which no program that reads such files wants. */
const MAX_CSV_ELEMENTS = 1e8;
/** Elements whose texts are held at a time. */
const TEXTS_AT_ONCE = 2 ** 18;

/** What is to be written where. */
export interface TensorExport {
  readonly path: string;
  readonly tensor: string;
  /** A file that ends in .npy or .csv. */
  readonly to: string;
  readonly overwrite: boolean;
}

/**
 * Writes one tensor into a file of its own: a NumPy array of its elements as they are, or rows of text that
 * read back as they are. It is read by parts, and the file is whole or absent.
 * @throws UserError, CorruptFileError, InterruptedError
 */
export async function exportTensor(
  { path, tensor: name, to, overwrite }: TensorExport,
  signal?: AbortSignal,
): Promise<ExportedTensor> {
  const format = formatOf(to);
  const checkpoint = await listCheckpoint(path);
  try {
    const tensor = checkpoint.tensors.get(name);
    if (!tensor) {
      throw new UserError(
        `${path} holds no tensor named ${name}.`,
        'Check the name of the tensor.',
      );
    }
    await requireElsewhere(checkpoint, to);
    const parts = { checkpoint, tensor, signal };
    const type = format === 'npy' ? arrayTypeOf(tensor) : tensor.type;
    if (format === 'csv') requireCsv(tensor);
    await writeOutputFile(to, { overwrite }, append =>
      format === 'npy' ? writeArray(parts, type, append) : writeRows(parts, append),
    );
    const { shape } = tensor;
    return {
      tensor: name,
      file: resolve(to),
      format,
      type,
      shape,
      matrix: asMatrix(shape),
      notes: notesOn(tensor, type, format),
    };
  } finally {
    await checkpoint.close();
  }
}

function formatOf(to: string): ExportFormat {
  const end = extname(to).toLowerCase();
  if (end === '.npy' || end === '.csv') return end.slice(1) as ExportFormat;
  throw new UserError(
    `${to} is the name of neither a NumPy array nor a CSV.`,
    'Give a file that ends in .npy or .csv.',
  );
}

/** @throws UserError when the file is one of those that are read */
async function requireElsewhere({ files }: Checkpoint, to: string): Promise<void> {
  const target = await realpath(to).catch(() => resolve(to));
  const own = await Promise.all(files.map(file => realpath(file)));
  if (!own.includes(target)) return;
  throw new UserError(`${to} is a file of the checkpoint itself.`, 'Choose another file.');
}

/** NumPy's type for a tensor's, or the one that holds its values. @throws UnsupportedError */
function arrayTypeOf({ type }: TensorInfo): StoredType {
  if (isArrayType(type)) return type;
  if (!isReadableType(type)) throw noValues(type);
  return 'F32';
}

function requireCsv({ type, shape }: TensorInfo): void {
  if (!isReadableType(type)) throw noValues(type);
  const count = elementCount(shape);
  if (count <= MAX_CSV_ELEMENTS) return;
  throw new UserError(
    `A CSV of ${formatCount(count)} elements would have some ${formatBytes(csvBytes(count))}; at most ${formatCount(MAX_CSV_ELEMENTS)} are written.`,
    'Export a file that ends in .npy instead.',
  );
}

/** Bytes that a CSV of so many floating-point numbers has about. */
const csvBytes = (elements: number): number => elements * 14;

interface Parts {
  readonly checkpoint: Checkpoint;
  readonly tensor: TensorInfo;
  readonly signal: AbortSignal | undefined;
}

async function writeArray(
  { checkpoint, tensor, signal }: Parts,
  type: StoredType,
  append: Append,
): Promise<void> {
  await append(arrayHeader(type, tensor.shape));
  for (const { first, count } of partsOf(tensor)) {
    requireGoingOn(signal);
    const bytes = await checkpoint.readBytes(tensor.name, first, count);
    await append(asType(bytes, tensor.type, type));
  }
}

/** Elements as NumPy has them: true is 1 and nothing else. */
function asType(bytes: Uint8Array, from: StoredType, to: StoredType): Uint8Array {
  if (from === 'BOOL') return bytes.map(byte => (byte === 0 ? 0 : 1));
  return from === to ? bytes : new Uint8Array(toFloat32(bytes, from).buffer);
}

async function writeRows({ checkpoint, tensor, signal }: Parts, append: Append): Promise<void> {
  const [, width] = asMatrix(tensor.shape);
  const rows = csvRows(width);
  const encoder = new TextEncoder();
  for (const { first, count } of partsOf(tensor, TEXTS_AT_ONCE)) {
    requireGoingOn(signal);
    const bytes = await checkpoint.readBytes(tensor.name, first, count);
    await append(encoder.encode(rows(elementTexts(bytes, tensor.type), first)));
  }
}

/** What is not in the file as it is in the checkpoint. */
function notesOn(
  { type, storedAs, shape }: TensorInfo,
  written: StoredType,
  format: ExportFormat,
): string[] {
  const [height, width] = asMatrix(shape);
  return [
    ...(storedAs !== undefined && storedAs !== type
      ? [`What is stored as ${storedAs} was written as ${written}.`]
      : []),
    ...(written !== type ? [`NumPy has no ${type}: written as ${written}, value by value.`] : []),
    ...(format === 'csv' && shape.length !== 2
      ? [
          `[${shape.join(', ')}] was written as ${formatCount(height)} × ${formatCount(width)}: rows are all axes but the last.`,
        ]
      : []),
  ];
}
