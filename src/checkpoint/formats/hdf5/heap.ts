import { Cursor, isNowhere, type FileBytes } from './bytes';

/** A heap of a group's links, as its header describes it. */
interface Heap {
  /** Bytes of an address in the heap, and of a length. */
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Blocks of a row, and the size of those of the first two; those of each further one are twice as large. */
  readonly width: number;
  readonly firstBytes: number;
  /** Size up to which a block holds objects, and no other blocks. */
  readonly mostDirect: number;
  readonly root: number;
  /** Rows of the root, which is a block of objects where there are none. */
  readonly rows: number;
}

const MAX_ROWS = 64;
/** Blocks within blocks. */
const MAX_DEPTH = 16;

const isPowerOfTwo = (value: number): boolean => value > 0 && Number.isInteger(Math.log2(value));

/** Reads objects of a heap by their ids. */
export async function openHeap(
  file: FileBytes,
  address: number,
): Promise<(id: DataView) => Promise<DataView>> {
  const heap = await readHead(file, address);
  return async id => {
    const from = new Cursor(id);
    const flags = from.number(1);
    switch ((flags >> 4) & 3) {
      case 0: {
        const offset = from.number(heap.offsetBytes);
        return find(file, heap, { offset, length: from.number(heap.lengthBytes) });
      }
      case 2:
        return from.part((flags & 15) + 1);
      default:
        throw new Error('a heap in it holds objects of their own, which are not read');
    }
  };
}

async function readHead(file: FileBytes, address: number): Promise<Heap> {
  const head = new Cursor(await file.signed(address, 'FRHP', 146), 7);
  if (head.number(2) !== 0) throw new Error('a heap in it is packed, which is not read');
  head.skip(1);
  const mostBytes = head.number(4);
  head.skip(12 * 8);
  const width = head.number(2);
  const [firstBytes, mostDirect] = [head.number(8), head.number(8)];
  const bits = head.number(2);
  head.skip(2);
  const [root, rows] = [head.number(8), head.number(2)];
  const isUsable = width > 0 && rows <= MAX_ROWS && bits > 0 && bits <= 64 && mostBytes > 0;
  if (!isUsable || !isPowerOfTwo(width) || !isPowerOfTwo(firstBytes) || !isPowerOfTwo(mostDirect)) {
    throw new Error('a heap in it is none');
  }
  const directBytes = Math.ceil(Math.log2(mostDirect) / 8);
  return {
    offsetBytes: Math.ceil(bits / 8),
    lengthBytes: Math.min(directBytes, Math.floor(Math.log2(mostBytes) / 8) + 1),
    width,
    firstBytes,
    mostDirect,
    root,
    rows,
  };
}

interface Span {
  readonly offset: number;
  readonly length: number;
}

/** Where rows of blocks begin, and how large their blocks are. */
const rowBytes = ({ firstBytes }: Heap, row: number): number =>
  firstBytes * 2 ** Math.max(0, row - 1);
const rowBegin = (heap: Heap, row: number): number =>
  row === 0 ? 0 : heap.width * heap.firstBytes * 2 ** (row - 1);

/** Reads a span of a heap's addresses; blocks are gone down to from the root. */
async function find(file: FileBytes, heap: Heap, { offset, length }: Span): Promise<DataView> {
  let [block, begin, rows] = [heap.root, 0, heap.rows];
  for (let depth = 0; rows > 0; depth++) {
    if (depth > MAX_DEPTH) throw new Error('a heap in it is too deep');
    const inside = offset - begin;
    let row = 0;
    while (row < rows && inside >= rowBegin(heap, row + 1)) row++;
    if (row >= rows) throw new Error('a heap in it does not hold what it should');
    const size = rowBytes(heap, row);
    const column = Math.floor((inside - rowBegin(heap, row)) / size);
    // What stands in every such block before the addresses of others.
    const before = 13 + heap.offsetBytes;
    await file.signed(block, 'FHIB', before);
    const at = block + before + 8 * (row * heap.width + column);
    const child = new Cursor(await file.at(at, 8)).number(8);
    if (isNowhere(child)) throw new Error('a heap in it does not hold what it should');
    begin += rowBegin(heap, row) + column * size;
    block = child;
    rows = size > heap.mostDirect ? Math.log2(size / (heap.firstBytes * heap.width)) + 1 : 0;
  }
  await file.signed(block, 'FHDB', 4);
  return file.at(block + offset - begin, length);
}
