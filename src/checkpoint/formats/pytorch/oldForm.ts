import { counted } from '../../../format';
import type { FormatFile } from '../format';
import { quoted } from '../../names';
import type { Content, Place } from './content';
import type { Failures } from './failures';
import { globalsOf } from './globals';
import { Budget } from './pickle/budget';
import { OutOfBytes, PickleBytes } from './pickle/bytes';
import { Machine } from './pickle/machine';
import { PyDict, PyList, type PyValue } from './pickle/values';
import { Storages } from './storages';
import { windowed } from '../windowed';
import { MAX_PICKLE_BYTES } from './zipForm';

/** The number that the first pickle of a file holds: 0x1950a86a20f9469cfc6c. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const MAGIC_BYTES = Buffer.from('6cfc9c46f9206aa85019', 'hex');
/** The only version there ever was of this form. */
const VERSION = 1001;
/** Bytes looked at first for the pickles; each further look is eight times as long. */
const FIRST_LOOK = 1 << 18;
/** Bytes of a storage's count of elements. */
const COUNT_BYTES = 8;
/** Bytes read at once for them, many of which are near each other. */
const COUNTS_BYTES = 1 << 14;

/** Whether a file begins as torch before 1.6 wrote them: a pickle of a number, as bytes or as text. */
export function looksLikeOldForm(head: Uint8Array): boolean {
  const bytes = Buffer.from(head.subarray(0, 32));
  return bytes[0] === 0x80
    ? bytes.includes(MAGIC_BYTES)
    : bytes.toString('latin1').startsWith(`L${MAGIC}L`);
}

/** The pickles of a file, and where they end. */
interface Pickles {
  readonly root: PyValue;
  readonly keys: readonly PyValue[];
  readonly storages: Storages;
  readonly end: number;
}

/** Reads the pickles of the old form and finds the storages behind them; no values. */
export async function readOldForm(file: FormatFile, fail: Failures): Promise<Content> {
  const { root, keys, storages, end } = await readPickles(file, fail);
  const readCount = windowed(file.read, file.size, COUNTS_BYTES);
  const places = new Map<string, Place>();
  let at = end;
  for (const value of keys) {
    const key = typeof value === 'number' ? String(value) : value;
    const storage = typeof key === 'string' ? storages.all.get(key) : undefined;
    if (!storage) return fail.corrupt('it lists a storage that its pickle does not name');
    const isCut = at + COUNT_BYTES + storage.bytes > file.size;
    if (places.has(storage.key)) fail.corrupt(`its storage ${quoted(storage.key)} is there twice`);
    if (isCut) fail.corrupt(`it is truncated: its storage ${quoted(storage.key)} ends behind it`);
    const count = await readCount(at, at + COUNT_BYTES);
    const stated = new DataView(count.buffer, count.byteOffset).getBigInt64(0, true);
    if (stated !== BigInt(storage.count)) {
      fail.corrupt(
        `its storage ${quoted(storage.key)} has ${counted(Number(stated), 'element')}, but its pickle states ${storage.count}`,
      );
    }
    places.set(storage.key, { begin: at + COUNT_BYTES });
    at += COUNT_BYTES + storage.bytes;
  }
  const rest = file.size - at;
  return {
    root,
    places(wanted) {
      const missing = [...wanted].find(key => !places.has(key));
      if (missing !== undefined) fail.corrupt(`it holds no storage ${quoted(missing)}`);
      return Promise.resolve(places);
    },
    notes:
      rest === 0
        ? []
        : [
            {
              message: `${counted(rest, 'byte')} behind its last tensor are not read, as by torch.load.`,
              remedy: 'Check whether several objects were saved into one file.',
            },
          ],
  };
}

async function readPickles({ size, read }: FormatFile, fail: Failures): Promise<Pickles> {
  for (let length = FIRST_LOOK; ; length *= 8) {
    const bytes = await read(0, Math.min(size, length, MAX_PICKLE_BYTES));
    try {
      return picklesIn(bytes, fail);
    } catch (error) {
      if (!(error instanceof OutOfBytes)) throw error;
      if (bytes.byteLength === size)
        return fail.corrupt('it is truncated: its pickle ends too early');
      if (bytes.byteLength === MAX_PICKLE_BYTES) {
        return fail.unsupported(
          `its pickle takes more than ${MAX_PICKLE_BYTES} bytes`,
          'Save the tensors of the model alone: torch.save(model.state_dict(), file).',
        );
      }
    }
  }
}

function picklesIn(bytes: Uint8Array, fail: Failures): Pickles {
  const budget = new Budget(fail);
  const source = new PickleBytes(bytes, 0, fail);
  const storages = new Storages(fail);
  const global = globalsOf(fail, budget);
  const next = (persistent: (id: PyValue) => PyValue): PyValue =>
    new Machine(source, { global, persistent }, budget, fail).run();
  const none = (): never => fail.corrupt('its pickle names a storage where none may be');
  const magic = next(none);
  const version = next(none);
  if (magic !== MAGIC || version !== VERSION) {
    fail.corrupt('it does not begin as torch.save writes');
  }
  const system = next(none);
  if (system instanceof PyDict && system.get('little_endian') === false) {
    fail.unsupported(
      'it was written on a machine of other byte order',
      'Load it with torch.load and save it again with torch.save, on a usual machine.',
    );
  }
  const root = next(id => storages.named(id));
  const keys = next(none);
  if (!(keys instanceof PyList)) return fail.corrupt('it has no list of its storages');
  return { root, keys: keys.items, storages, end: source.at };
}
