import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { CorruptFileError, UnsupportedError, UserError } from '../../errors';
import { openRegular } from '../../files';
import { firstLine } from '../firstLine';
import { placeOf } from './places';
import { cudaOf, type TensorFlow, type TensorFlowFile } from './tensorFlow';

/** Files in a wheel at most; TensorFlow's have some 16,000. */
const mostFiles = 200_000;
/** Bytes of a text in a wheel at most; the list of TensorFlow's files has 2 MB. */
const mostText = 64e6;

/** Packages that TensorFlow is published as. */
const packages = /^tensorflow(-(cpu|gpu|intel|macos|rocm|cpu-aws))?$/;

/**
 * Opens a Python wheel of TensorFlow and reads what it says of itself. Nothing is unpacked and nothing
 * of it is run.
 * @throws UserError when it is no wheel, not whole, or not one of TensorFlow
 */
export async function openWheel(path: string, platform: NodeJS.Platform): Promise<TensorFlow> {
  // Anything but a regular file is refused before the zip library opens it.
  await (await openRegular(path)).handle.close();
  const zip = await explained(path, openPromise(path, { autoClose: false, strictFileNames: true }));
  try {
    return await explained(path, describe(path, zip, platform));
  } catch (error) {
    zip.close();
    throw error;
  }
}

async function describe(
  path: string,
  zip: ZipFile,
  platform: NodeJS.Platform,
): Promise<TensorFlow> {
  const name = basename(path);
  const entries = await entriesOf(path, zip);
  const read = async (file: string): Promise<string> => {
    const entry = entries.get(file);
    if (!entry || entry.uncompressedSize > mostText) throw notWhole(path, file);
    return text(await zip.openReadStreamPromise(entry));
  };
  const about = [...entries.keys()].find(file => /^[^/]+\.dist-info\/METADATA$/.test(file));
  if (about === undefined) {
    throw new UnsupportedError(
      `${path} is no wheel: it says nothing of itself (*.dist-info/METADATA).`,
      'Give a file that pip download tensorflow or tensorflow-cpu has fetched.',
    );
  }
  const [metadata, tags, record] = await Promise.all(
    ['METADATA', 'WHEEL', 'RECORD'].map(file => read(about.replace('METADATA', file))),
  );
  const distribution = field(metadata!, 'Name')[0]?.toLowerCase().replace(/[_.]/g, '-') ?? '';
  if (!packages.test(distribution)) {
    throw new UnsupportedError(
      `${name} is a wheel of ${distribution === '' ? 'nothing' : distribution}, not of TensorFlow.`,
      'Give a wheel of tensorflow or tensorflow-cpu.',
    );
  }
  const [version] = field(metadata!, 'Version');
  const hashes = hashesOf(record!);
  const files = [...entries].flatMap(([file, entry]): TensorFlowFile[] => {
    const own = /^tensorflow\/(.+)$/.exec(file)?.[1];
    const place = own === undefined ? undefined : placeOf(own, platform);
    if (place === undefined) return [];
    const sha256 = hashes.get(file);
    if (sha256 === undefined) throw notWhole(path, `the SHA-256 of ${file}`);
    const open = () => explained(path, zip.openReadStreamPromise(entry));
    return [{ place, bytes: entry.uncompressedSize, sha256, open }];
  });
  const buildInfo = 'tensorflow/python/platform/build_info.py';
  return {
    name,
    ...(version !== undefined && { version }),
    platforms: field(tags!, 'Tag').flatMap(tag => tag.split('-')[2]?.split('.') ?? []),
    ...(entries.has(buildInfo) && cudaOf(await read(buildInfo))),
    files,
    [Symbol.asyncDispose]: () => {
      zip.close();
      return Promise.resolve();
    },
  };
}

async function entriesOf(path: string, zip: ZipFile): Promise<ReadonlyMap<string, Entry>> {
  if (zip.entryCount > mostFiles) {
    throw new CorruptFileError(
      `${path} has ${zip.entryCount} files, more than any wheel of TensorFlow.`,
      'Check that it is the file you mean.',
    );
  }
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    if (entries.has(entry.fileName)) {
      throw new CorruptFileError(
        `${path} holds two files called ${entry.fileName}.`,
        'Download it again from where you trust it.',
      );
    }
    entries.set(entry.fileName, entry);
  }
  return entries;
}

/** Values of a field of a wheel's texts, which are headers as of mail. */
const field = (of: string, name: string): string[] =>
  (of.split(/\r?\n\r?\n/)[0] ?? '')
    .split(/\r?\n/)
    .filter(line => line.startsWith(`${name}: `))
    .map(line => line.slice(name.length + 2).trim());

/** SHA-256 of files by name, out of a wheel's list: `name,sha256=…,size`. */
const hashesOf = (record: string): ReadonlyMap<string, string> =>
  new Map(
    record.split(/\r?\n/).flatMap(line => {
      const [, file, hash] = /^"?([^",]+)"?,sha256=([\w-]+=*),\d*$/.exec(line) ?? [];
      return file !== undefined && hash !== undefined ? [[file, hash.replace(/=+$/, '')]] : [];
    }),
  );

const notWhole = (path: string, what: string): CorruptFileError =>
  new CorruptFileError(
    `${path} is not a whole wheel: ${what} is missing.`,
    'Download it again from where you trust it.',
  );

/** What the zip library says is wrong with a file, for people. */
async function explained<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new CorruptFileError(
      `${path} cannot be read as a wheel: ${firstLine(error)}.`,
      'Give a .whl file, or the folder into which TensorFlow’s C library was unpacked.',
      { cause: error },
    );
  }
}
