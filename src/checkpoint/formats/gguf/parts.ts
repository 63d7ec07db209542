import { basename } from 'node:path';

import { CorruptFileError, UserError } from '../../../errors';
import { counted } from '../../../format';
import { ifThere } from '../../../files';
import { quoted } from '../../names';
import type { FileBeside, FormatFile } from '../format';
import { readHeader, type GgufHeader } from './header';

/** Files of one model at most; real ones have some hundred. */
const MAX_PARTS = 1_000;
/** First bytes of a part that are read at once. */
const HEAD_BYTES = 4096;

const MERGE =
  'Download all parts into one folder, from one place; or merge them: llama-gguf-split --merge, with the first of them and a name for the whole.';

/**
 * The whole of a model that was split into files, given the header of its first one: the metadata of that
 * and the tensors of all. A file that is not split stays as it is. @throws UserError, CorruptFileError
 */
export async function withAllParts(header: GgufHeader, opened: FormatFile): Promise<GgufHeader> {
  const count = numberOf(header, 'split.count') ?? 0;
  if (count <= 1) return header;
  const { file, read } = opened;
  const fail = (what: string, remedy = MERGE): never => {
    throw new CorruptFileError(`${file}: ${what}.`, remedy);
  };
  if (!(count <= MAX_PARTS)) fail(`it states ${count} parts; at most ${MAX_PARTS} are allowed`);
  const names = partNames(basename(file), count);
  if (!names) {
    return fail(
      `it is one of the ${count} files that a model was split into, and its name does not say which`,
      'Give the parts the names that they had (model-00001-of-00003.gguf), or merge them with llama-gguf-split --merge.',
    );
  }
  if (names[0] !== basename(file)) {
    throw new UserError(
      `${file} is one of the ${count} files that a model was split into.`,
      `Give the folder it lies in, or ${names[0]}.`,
    );
  }
  requirePart(header, 0, count, file, fail);
  const others = await allBeside(names.slice(1), opened, count, fail);
  const tensors = [...header.tensors];
  const seen = new Map(tensors.map(({ name }) => [name, names[0]!]));
  for (const [i, other] of others.entries()) {
    const readOther: FormatFile['read'] = (begin, end) => read(begin, end, other.file);
    const head = await readOther(0, Math.min(HEAD_BYTES, other.size));
    const part = await readHeader({ ...opened, ...other, head, read: readOther });
    requirePart(part, i + 1, count, other.file, fail);
    for (const tensor of part.tensors) {
      const before = seen.get(tensor.name);
      if (before !== undefined) {
        fail(`tensor ${quoted(tensor.name)} stands in ${before} and in ${names[i + 1]!}`);
      }
      seen.set(tensor.name, names[i + 1]!);
      tensors.push({ ...tensor, file: other.file });
    }
  }
  const stated = numberOf(header, 'split.tensors.count');
  if (stated !== undefined && stated !== tensors.length) {
    fail(
      `its parts hold ${counted(tensors.length, 'tensor')}, but the first one states ${stated}; they come from different versions`,
    );
  }
  return { values: header.values, tensors };
}

function numberOf({ values }: GgufHeader, key: string): number | undefined {
  const value = values.get(key);
  return typeof value === 'number' ? value : undefined;
}

/** The names of all parts, given one of them; undefined where it is not called as parts are. */
function partNames(name: string, count: number): readonly string[] | undefined {
  const match = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/.exec(name);
  if (!match || Number(match[3]) !== count || Number(match[2]) > count) return undefined;
  return Array.from(
    { length: count },
    (_, i) => `${match[1]!}-${String(i + 1).padStart(5, '0')}-of-${match[3]!}.gguf`,
  );
}

/** What a part says of itself must be what its name says. */
function requirePart(
  header: GgufHeader,
  number: number,
  count: number,
  file: string,
  fail: (what: string) => never,
): void {
  const [own, all] = [numberOf(header, 'split.no'), numberOf(header, 'split.count')];
  if (own === number && all === count) return;
  const is = own === undefined ? 'no part of any' : `part ${own + 1} of ${all ?? 'none'}`;
  fail(`${basename(file)} is called part ${number + 1} of ${count}, but says it is ${is}`);
}

async function allBeside(
  names: readonly string[],
  { beside }: FormatFile,
  count: number,
  fail: (what: string) => never,
): Promise<readonly FileBeside[]> {
  const found: FileBeside[] = [];
  const missing: string[] = [];
  for (const name of names) {
    const other = await ifThere(beside(name));
    if (other) found.push(other);
    else missing.push(name);
  }
  if (missing.length > 0) {
    const shown = missing.slice(0, 5).join(', ') + (missing.length > 5 ? ', …' : '');
    fail(
      `${missing.length} of the ${count} files that the model was split into ${missing.length === 1 ? 'is' : 'are'} missing: ${shown}`,
    );
  }
  return found;
}
