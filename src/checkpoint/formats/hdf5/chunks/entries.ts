import { isNowhere, type Cursor } from '../bytes';
import { checkedSize } from './newerTree';

/** How an array of chunks has its entries. */
export interface EntryForm {
  readonly isPacked: boolean;
  readonly bytes: number;
}

/** An entry: where a chunk lies, and what is said of it. */
export interface Entry {
  readonly address: number;
  readonly bytes?: number;
  readonly skipped: number;
}

/** @throws Error when entries of this kind cannot have so many bytes */
export function entryForm(client: number, bytes: number): EntryForm {
  const isPacked = client === 1;
  if (client > 1 || (!isPacked && bytes !== 8)) throw new Error('a list of chunks in it is none');
  if (isPacked) checkedSize(bytes - 12);
  return { isPacked, bytes };
}

/** Reads so many entries; those of chunks that were never written are passed over. */
export function readEntries(
  from: Cursor,
  count: number,
  { isPacked, bytes }: EntryForm,
  each: (number: number, entry: Entry) => void,
): void {
  for (let i = 0; i < count; i++) {
    const address = from.number(8);
    const packed = isPacked
      ? { bytes: from.number(bytes - 12), skipped: from.number(4) }
      : { skipped: 0 };
    if (!isNowhere(address)) each(i, { address, ...packed });
  }
}
