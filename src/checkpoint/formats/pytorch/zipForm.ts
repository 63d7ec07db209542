import { counted } from '../../../format';
import type { FormatFile } from '../format';
import { inflating } from '../../layouts/inflated';
import { quoted } from '../../names';
import type { Failures } from './failures';
import type { Content, Place } from './content';
import { Budget } from './pickle/budget';
import { OutOfBytes, PickleBytes } from './pickle/bytes';
import { globalsOf } from './globals';
import { Machine } from './pickle/machine';
import type { PyValue } from './pickle/values';
import { Storages } from './storages';
import { windowed } from '../windowed';
import { beginOf, deflatedIn, readDirectory, type ZipEntry } from './zipDirectory';

/** Bytes of the pickle in an archive at most; 100,000 tensors take some 30 million. */
export const MAX_PICKLE_BYTES = 100_000_000;
/** Bytes of the small texts beside it. */
const MAX_TEXT_BYTES = 64;
/** Bytes read at once for the headers before storages, many of which are small. */
const HEADERS_BYTES = 1 << 14;
/** What torch can read itself. */
const MAX_VERSION = 10;

/** Whether a zip archive's first file is called as in one that torch writes. */
export function looksLikeTorchZip(head: Uint8Array): boolean {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes.length < 30 || bytes.readUInt32LE(0) !== 0x04034b50) return false;
  const name = bytes.toString('latin1', 30, 30 + bytes.readUInt16LE(26));
  return /^[^/]+\/(data\.pkl|constants\.pkl|version|byteorder|\.format_version|\.storage_alignment|(\.data|data|code|extra)\/.*)?$/.test(
    name,
  );
}

/** Reads the pickle of a zip archive and finds the storages it names; no values. */
export async function readZipForm(file: FormatFile, fail: Failures): Promise<Content> {
  const { size, read } = file;
  const entries = await readDirectory(size, read, fail);
  const [first] = entries.keys();
  const folder = first?.split('/')[0] ?? '';
  const entry = (name: string): ZipEntry | undefined => entries.get(`${folder}/${name}`);
  const bytesOf = async (name: string, limit: number): Promise<Uint8Array | undefined> => {
    const found = entry(name);
    if (!found) return undefined;
    if (found.bytes > limit) {
      fail.unsupported(
        `its ${quoted(name)} takes ${counted(found.bytes, 'byte')}; at most ${limit} are read`,
        'Save the tensors of the model alone: torch.save(model.state_dict(), file).',
      );
    }
    const begin = await beginOf(found, size, read, fail);
    const deflated = deflatedIn(found, begin, file.file);
    return deflated ? inflating(deflated, read)(0, found.bytes) : read(begin, begin + found.bytes);
  };
  const textOf = async (name: string): Promise<string | undefined> => {
    const bytes = await bytesOf(name, MAX_TEXT_BYTES);
    return bytes && Buffer.from(bytes).toString('latin1').trim();
  };

  if (entry('constants.pkl')) {
    fail.unsupported(
      'it is a TorchScript archive, a program with its weights rather than a checkpoint',
      'In Python, torch.save(torch.jit.load(file).state_dict(), other) keeps the weights alone; open that file.',
    );
  }
  const pickle = await bytesOf('data.pkl', MAX_PICKLE_BYTES);
  if (!pickle) {
    return fail.unsupported(
      'it is a zip archive, but none that torch.save wrote (it has no data.pkl)',
      'Unpack it if it holds a checkpoint, and open the folder.',
    );
  }
  const order = await textOf('byteorder');
  if (order !== undefined && order !== 'little') {
    fail.unsupported(
      `it was written on a machine of other byte order (${quoted(order)})`,
      'Load it with torch.load and save it again with torch.save, on a usual machine.',
    );
  }
  const version = await textOf('version');
  if (version !== undefined && !(Number(version) <= MAX_VERSION)) {
    fail.unsupported(
      `it is of version ${quoted(version)} of torch's archives; up to ${MAX_VERSION} are known`,
      'Save it with the current torch, or with the safetensors library.',
    );
  }
  const storages = new Storages(fail);
  const root = readPickle(pickle, storages, fail);
  return {
    root,
    places: keys => placesOf(keys, storages, entry, file, fail),
    notes: [],
  };
}

function readPickle(pickle: Uint8Array, storages: Storages, fail: Failures): PyValue {
  const budget = new Budget(fail);
  const source = new PickleBytes(pickle, 0, fail);
  const persistent = (id: PyValue): PyValue => storages.named(id);
  try {
    return new Machine(source, { global: globalsOf(fail, budget), persistent }, budget, fail).run();
  } catch (error) {
    if (error instanceof OutOfBytes) return fail.corrupt('its pickle ends too early');
    throw error;
  }
}

/** Where storages lie, each of them a file of its own. */
async function placesOf(
  keys: ReadonlySet<string>,
  storages: Storages,
  entry: (name: string) => ZipEntry | undefined,
  { file, size, read }: FormatFile,
  fail: Failures,
): Promise<ReadonlyMap<string, Place>> {
  const found = [...keys].map(key => {
    const { bytes } = storages.all.get(key)!;
    const at = entry(`data/${key}`);
    if (!at) return fail.corrupt(`it holds no storage ${quoted(key)}`);
    return { key, bytes, at };
  });
  found.sort((a, b) => a.at.header - b.at.header);
  const readHeader = windowed(read, size, HEADERS_BYTES);
  const places: { key: string; header: number; end: number; place: Place }[] = [];
  for (const { key, bytes, at } of found) {
    const begin = await beginOf(at, size, readHeader, fail);
    if (at.bytes !== bytes) {
      fail.corrupt(
        `its storage ${quoted(key)} takes ${counted(at.bytes, 'byte')}, but its pickle states ${bytes}`,
      );
    }
    const deflated = deflatedIn(at, begin, file);
    const place = { begin, ...(deflated && { deflated }) };
    places.push({ key, header: at.header, end: begin + at.storedBytes, place });
  }
  for (const [i, { key, end }] of places.entries()) {
    if (end > (places[i + 1]?.header ?? size)) {
      fail.corrupt(`its storage ${quoted(key)} overlaps another`);
    }
  }
  return new Map(places.map(({ key, place }) => [key, place]));
}
