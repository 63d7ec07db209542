import { createHash } from 'node:crypto';
import type { DataDescription } from './batches';
import { readBytes, type ReadBytes, type SourceFile } from './sourceFiles';

/** Sources up to this many bytes are hashed whole; beyond, evenly spaced samples are. */
const hashedWholeLimit = 64 * 1024 * 1024;

const sampleBytes = 64 * 1024;
const sampleCount = 256;

/** A receipt names this many files; the rest is one entry with their bytes. The hash covers all. */
const namedFiles = 1000;

/** Adds every sampled (or every) stretch of the files, taken as one concatenation, to the hash. */
async function* stretches(
  files: readonly SourceFile[],
  total: number,
): AsyncGenerator<{ path: string; position: number; length: number }> {
  const whole = total <= hashedWholeLimit;
  const spacing = whole ? sampleBytes : Math.floor((total - sampleBytes) / (sampleCount - 1));
  let next = 0;
  let start = 0;
  for (const { path, bytes } of files) {
    for (; next < start + bytes; next += spacing) {
      const position = Math.max(0, next - start);
      yield { path, position, length: Math.min(sampleBytes, bytes - position) };
    }
    start += bytes;
    // Reading whole, every file starts a stretch of its own; sampling, the spacing runs on.
    if (whole) next = start;
  }
}

/**
 * What the receipt says about a source: enough to tell later whether a file is the one that was
 * trained on.
 * @param heldOut how the held-out part was taken, in words
 */
export async function describeData(
  files: readonly SourceFile[],
  heldOut: string,
  read: ReadBytes = readBytes,
): Promise<DataDescription> {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const hash = createHash('sha256');
  for (const { name, bytes } of files) hash.update(`${JSON.stringify(name)} ${bytes}\n`);
  for await (const { path, position, length } of stretches(files, total)) {
    hash.update(await read(path, position, length));
  }
  const named = files.slice(0, namedFiles).map(({ name, bytes }) => ({ name, bytes }));
  const rest = files.slice(namedFiles);
  if (rest.length > 0) {
    const bytes = rest.reduce((sum, file) => sum + file.bytes, 0);
    named.push({ name: `… and ${rest.length} more`, bytes });
  }
  return {
    files: named,
    sha256: hash.digest('hex'),
    hashed: total <= hashedWholeLimit ? 'contents' : 'sampled',
    heldOut,
  };
}
