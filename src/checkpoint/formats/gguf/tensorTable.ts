import { UnsupportedError } from '../../../errors';
import { counted } from '../../../format';
import { bytesPerElement } from '../../elementTypes';
import { quoted, tensorNameProblem } from '../../names';
import { elementCount, MAX_ELEMENTS, MAX_RANK } from '../../tensor';
import type { ByteReader } from './byteReader';
import { readNumber, readText, type Fail } from './reading';
import { tensorKinds, type TensorKind } from './tensorKinds';

/** A tensor as the header describes it. */
interface DescribedTensor {
  /** As the file has it: `blk.0.attn_q.weight`. */
  readonly name: string;
  readonly kind: TensorKind;
  /** Slowest axis first, as PyTorch has it; the file has the fastest first. */
  readonly shape: readonly number[];
  readonly bytes: number;
  /** First byte behind the header. */
  readonly offset: number;
}

/** A tensor with its place in the file. */
export interface PlacedTensor extends Omit<DescribedTensor, 'offset'> {
  /** First byte in its file. */
  readonly begin: number;
  /** Another file than the one that was opened, of a model that was split. */
  readonly file?: string;
}

/** Reads the descriptions of so many tensors. @throws UnsupportedError for a kind that is not known */
export async function readTensors(
  reader: ByteReader,
  count: number,
  file: string,
  fail: Fail,
): Promise<DescribedTensor[]> {
  const tensors = new Map<string, DescribedTensor>();
  for (let i = 0; i < count; i++) {
    const name = await readText(reader, { what: `the name of tensor ${i + 1}` }, fail);
    const problem = tensorNameProblem(name);
    if (problem !== undefined) fail(`the tensor name ${quoted(name)} ${problem}`);
    if (tensors.has(name)) fail(`two tensors are named ${quoted(name)}`);
    const axes = await readNumber(reader, 'uint32');
    if (axes > MAX_RANK) {
      fail(`tensor ${quoted(name)} has ${axes} axes; at most ${MAX_RANK} are allowed`);
    }
    const shape: number[] = [];
    for (let axis = 0; axis < axes; axis++) shape.unshift(await readNumber(reader, 'uint64'));
    const number = await readNumber(reader, 'uint32');
    const kind = tensorKinds.get(number);
    if (!kind) {
      throw new UnsupportedError(
        `${file}: tensor ${quoted(name)} is quantised in a way that is not known (${number}).`,
        'Take a file of the same model in F16, BF16, Q8_0 or Q4_K_M, or convert the original weights anew.',
      );
    }
    const offset = await readNumber(reader, 'uint64');
    tensors.set(name, { name, kind, shape, bytes: bytesOf(name, kind, shape, fail), offset });
  }
  return [...tensors.values()];
}

function bytesOf(name: string, kind: TensorKind, shape: readonly number[], fail: Fail): number {
  const count = elementCount(shape);
  const { elements, bytes } =
    'plain' in kind ? { elements: 1, bytes: bytesPerElement(kind.plain) } : kind.blocks;
  if (!(count <= MAX_ELEMENTS) || !(count * bytes <= MAX_ELEMENTS)) {
    fail(`tensor ${quoted(name)} has more elements than any file can hold`);
  }
  const row = shape.at(-1) ?? 1;
  if ('blocks' in kind && row % elements !== 0) {
    fail(
      `tensor ${quoted(name)} has rows of ${row}, which are no whole blocks of ${elements} (${kind.blocks.name})`,
    );
  }
  return (count / elements) * bytes;
}

interface DataSection {
  /** What offsets are multiples of. */
  readonly alignment: number;
  /** First byte of the tensors' data. */
  readonly dataBegin: number;
  /** Bytes of the file. */
  readonly size: number;
}

/** Tensors in the order of their data, which lie in the file and do not overlap. */
export function placed(
  tensors: readonly DescribedTensor[],
  { alignment, dataBegin, size }: DataSection,
  fail: Fail,
): PlacedTensor[] {
  const ordered = tensors
    .map(({ offset, ...tensor }) => ({ ...tensor, offset, begin: dataBegin + offset }))
    .sort((a, b) => a.begin - b.begin || a.bytes - b.bytes);
  let before: { readonly name: string; readonly end: number } | undefined;
  for (const { name, offset, begin, bytes } of ordered) {
    const end = begin + bytes;
    if (!(end <= size)) {
      const where = Number.isFinite(end) ? `at byte ${end}` : 'beyond all bytes';
      fail(
        `the file is truncated: tensor ${quoted(name)} ends ${where}, but the file has only ${counted(size, 'byte')}`,
      );
    }
    if (offset % alignment !== 0) {
      fail(`tensor ${quoted(name)} begins at ${offset}, which is no multiple of ${alignment}`);
    }
    if (before && begin < before.end) {
      fail(`the data of tensor ${quoted(name)} overlap those of ${quoted(before.name)}`);
    }
    before = { name, end };
  }
  return ordered.map(({ name, kind, shape, bytes, begin }) => ({
    name,
    kind,
    shape,
    bytes,
    begin,
  }));
}
