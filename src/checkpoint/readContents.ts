import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { CorruptFileError } from '../errors';
import { isFile } from './locate';
import { quoted } from './names';
import { explainReadError, readFully, type FileIdentity } from './openFiles';
import { HEAD_BYTES, recognise, statedHeaderBytes } from './recognise';
import {
  checkHeaderBytes,
  parseHeader,
  type SafetensorsHeader,
  type TensorInfo,
} from './safetensorsHeader';
import { MAX_INDEX_BYTES, parseShardIndex } from './shardIndex';

interface OpenedFile {
  readonly identity: FileIdentity;
  readonly content: { readonly index: string } | SafetensorsHeader;
}

/** Reads and validates no more of a file than its header, or the whole of an index. */
async function openFile(file: string, indexAllowed: boolean): Promise<OpenedFile> {
  let handle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    throw explainReadError(error, file);
  }
  try {
    const status = await handle.stat();
    const { size } = status;
    const identity = { size, modified: status.mtimeMs };
    const head = new Uint8Array(Math.min(size, HEAD_BYTES));
    await readFully(handle, head, 0, file);
    if (recognise(head, size, file) === 'json') {
      if (!indexAllowed) {
        throw new CorruptFileError(
          `${file} is JSON where a safetensors file should be.`,
          'Download the shard again.',
        );
      }
      if (size > MAX_INDEX_BYTES) {
        throw new CorruptFileError(
          `${file} is JSON of ${size} bytes; an index has at most ${MAX_INDEX_BYTES}.`,
          'Give a .safetensors file or the folder that holds it.',
        );
      }
      const bytes = new Uint8Array(size);
      await readFully(handle, bytes, 0, file);
      return { identity, content: { index: new TextDecoder().decode(bytes) } };
    }
    const headerBytes = statedHeaderBytes(head);
    checkHeaderBytes(headerBytes, size, file);
    let header = head.subarray(8, 8 + headerBytes);
    if (header.byteLength < headerBytes) {
      const longer = new Uint8Array(headerBytes);
      longer.set(header);
      await readFully(handle, longer.subarray(header.byteLength), HEAD_BYTES, file);
      header = longer;
    }
    return { identity, content: parseHeader(header, size, file) };
  } catch (error) {
    throw explainReadError(error, file);
  } finally {
    await handle.close();
  }
}

/** What the headers of a checkpoint's files say, all of them validated. */
export interface CheckpointContents {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Bytes of all tensors together. */
  readonly bytes: number;
  /** The files that hold tensors, in the order of their names. */
  readonly identities: ReadonlyMap<string, FileIdentity>;
}

async function openSharded(indexFile: string, text: string): Promise<CheckpointContents> {
  const index = parseShardIndex(text, indexFile);
  const folder = dirname(indexFile);
  const missing: string[] = [];
  for (const shard of index.shards) {
    if (!(await isFile(join(folder, shard)))) missing.push(shard);
  }
  if (missing.length > 0) {
    const shown = missing.slice(0, 5).join(', ') + (missing.length > 5 ? ', …' : '');
    throw new CorruptFileError(
      `${missing.length} of ${index.shards.length} shards that ${indexFile} names are missing: ${shown}.`,
      'Download the missing files into the same folder.',
    );
  }
  const identities = new Map<string, FileIdentity>();
  const found = new Map<string, TensorInfo>();
  let metadata: Readonly<Record<string, string>> | undefined;
  for (const shard of index.shards) {
    const file = join(folder, shard);
    const { identity, content } = await openFile(file, false);
    if ('index' in content) throw new Error('an index is not allowed here');
    identities.set(file, identity);
    metadata ??= content.metadata;
    for (const tensor of content.tensors) {
      // A tensor the index places elsewhere, or does not name, is not part of the checkpoint.
      if (index.shardOfTensor.get(tensor.name) === shard) found.set(tensor.name, tensor);
    }
  }
  const tensors = new Map<string, TensorInfo>();
  for (const [name, shard] of index.shardOfTensor) {
    const tensor = found.get(name);
    if (tensor === undefined) {
      throw new CorruptFileError(
        `${join(folder, shard)} lacks the tensor ${quoted(name)}, which ${indexFile} places there.`,
        'Download that shard and the index again; they come from different versions.',
      );
    }
    tensors.set(name, tensor);
  }
  const bytes = bytesOf(tensors);
  if (index.totalSize !== undefined && index.totalSize !== bytes) {
    throw new CorruptFileError(
      `${indexFile} states ${index.totalSize} bytes in total (total_size), but its tensors take ${bytes}.`,
      'Download the index and its shards again; if you know them to be right, delete total_size from the index.',
    );
  }
  return { metadata: metadata ?? {}, tensors, bytes, identities };
}

function bytesOf(tensors: ReadonlyMap<string, TensorInfo>): number {
  let bytes = 0;
  for (const { begin, end } of tensors.values()) bytes += end - begin;
  return bytes;
}

/**
 * Reads the headers of a checkpoint, given a safetensors file or the index of a sharded one; no
 * values. @throws UserError, CorruptFileError, UnsupportedError
 */
export async function readContents(file: string): Promise<CheckpointContents> {
  const { identity, content } = await openFile(file, true);
  if ('index' in content) return openSharded(file, content.index);
  const tensors = new Map(content.tensors.map(tensor => [tensor.name, tensor]));
  const identities = new Map([[file, identity]]);
  return { metadata: content.metadata, tensors, bytes: bytesOf(tensors), identities };
}
