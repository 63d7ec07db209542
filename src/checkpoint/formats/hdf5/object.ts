import { Cursor, textIn, type FileBytes } from './bytes';
import { readMessage, type Hdf5Object, type MessageHead } from './messages';

/** Messages of one object, and blocks that they lie in. */
const MAX_MESSAGES = 4_096;
const MAX_BLOCKS = 256;
/** Longest block of messages, in bytes; one message has at most 64 kB. */
const MAX_BLOCK_BYTES = 1 << 24;

/** A block of an object's messages. */
interface Block {
  readonly begin: number;
  readonly length: number;
}

/** How the messages of an object lie in its blocks. */
interface Form {
  readonly first: Block;
  /** Messages that there are; absent where the blocks tell. */
  readonly count?: number;
  /** Bytes before a message's body, and what they say. */
  readonly headBytes: number;
  readonly head: (head: DataView) => MessageHead & { readonly size: number };
  /** What of a further block holds messages. */
  readonly inside: (file: FileBytes, block: Block) => Promise<Block>;
}

/** Reads an object's header. @throws Error that ends "it cannot be used: …" */
export async function readObject(file: FileBytes, address: number): Promise<Hdf5Object> {
  const form = await formOf(file, address);
  const blocks = [form.first];
  const object: { -readonly [K in keyof Hdf5Object]: Hdf5Object[K] } = {};
  const links: NonNullable<Hdf5Object['links']>[number][] = [];
  let seen = 0;
  for (const { begin, length } of blocks) {
    if (length > MAX_BLOCK_BYTES) throw new Error('an object in it says too much of itself');
    const end = begin + length;
    for (let at = begin; at + form.headBytes <= end && seen < (form.count ?? Infinity); seen++) {
      if (seen >= MAX_MESSAGES) throw new Error('an object in it says too much of itself');
      const { size, ...head } = form.head(await file.at(at, form.headBytes));
      at += form.headBytes;
      if (at + size > end) throw new Error('an object in it is cut off');
      const body = await file.at(at, size);
      const { further, link, ...said } = readMessage(head, body, at);
      if (further) blocks.push(await form.inside(file, further));
      if (link) links.push(link);
      // The first reason stands.
      Object.assign(object, said, object.because !== undefined && { because: object.because });
      at += size;
      if (blocks.length > MAX_BLOCKS) throw new Error('an object in it lies in too many pieces');
    }
  }
  return links.length > 0 ? { ...object, links } : object;
}

async function formOf(file: FileBytes, address: number): Promise<Form> {
  const start = await file.at(address, 6);
  if (textIn(start, 0, 4) === 'OHDR') return newerForm(file, address, start);
  if (start.getUint8(0) !== 1) throw new Error('there is no object where one should be');
  const head = await file.at(address, 16);
  const count = head.getUint16(2, true);
  if (count > MAX_MESSAGES) throw new Error('an object in it says too much of itself');
  return {
    first: { begin: address + 16, length: head.getUint32(8, true) },
    count,
    headBytes: 8,
    head: message => ({
      type: message.getUint16(0, true),
      size: message.getUint16(2, true),
      isShared: (message.getUint8(4) & 2) !== 0,
    }),
    inside: (_, block) => Promise.resolve(block),
  };
}

async function newerForm(file: FileBytes, address: number, start: DataView): Promise<Form> {
  const [version, flags] = [start.getUint8(4), start.getUint8(5)];
  if (version !== 2) throw new Error('there is no object where one should be');
  const before = 6 + ((flags & 32) !== 0 ? 16 : 0) + ((flags & 16) !== 0 ? 4 : 0);
  const sizeBytes = 1 << (flags & 3);
  const length = new Cursor(await file.at(address + before, sizeBytes)).number(sizeBytes);
  return {
    first: { begin: address + before + sizeBytes, length },
    headBytes: (flags & 4) !== 0 ? 6 : 4,
    head: message => ({
      type: message.getUint8(0),
      size: message.getUint16(1, true),
      isShared: (message.getUint8(3) & 2) !== 0,
    }),
    async inside(_file, { begin, length: whole }) {
      if (whole < 8) throw new Error('an object in it is cut off');
      await file.signed(begin, 'OCHK', 4);
      return { begin: begin + 4, length: whole - 8 };
    },
  };
}
