import { statfs } from 'node:fs/promises';
import { bytesPerElement, isReadableType } from '../../checkpoint/elementTypes';
import { quoted } from '../../checkpoint/names';
import { elementCount, type TensorInfo } from '../../checkpoint/tensor';
import { writeCheckpoint } from '../../checkpoint/writeCheckpoint';
import { UnsupportedError, UserError } from '../../errors';
import { formatBytes } from '../../format';
import type { ConversionReceipt } from '../../protocol/conversion';
import { counter, type Converting } from './converting';

interface SafetensorsOptions {
  /** Tensors that hold what another holds: they are left out, as transformers leaves them out. */
  readonly copies: ReadonlyMap<string, string>;
  readonly maxShardBytes: number | undefined;
}

/** Writes all tensors of a checkpoint in the types they have, those that are quantised as float32. */
export async function writeSafetensors(
  converting: Converting,
  { copies, maxShardBytes }: SafetensorsOptions,
): Promise<{
  readonly tensors: number;
  readonly bytes: number;
  readonly files: readonly string[];
  readonly leftOut: ConversionReceipt['leftOut'];
}> {
  const { source, directory } = converting;
  const kept = [...source.tensors.values()].filter(({ name }) => !copies.has(name));
  await requireWritable(converting, kept);
  const total = kept.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  await requireSpace(directory, total);
  const counted = counter(converting, total);
  const { files, bytes } = await writeCheckpoint(
    directory,
    kept.map(tensor => {
      const { name, type, shape } = tensor;
      return { name, type, shape, values: () => counted(source.parts(tensor)) };
    }),
    {
      metadata: metadataOf(source.format, source.metadata),
      ...(maxShardBytes !== undefined && { maxShardBytes }),
    },
  );
  const leftOut = [...copies].map(([name, same]) => ({
    name,
    reason: `holds what ${same} holds`,
  }));
  return { tensors: kept.length, bytes, files, leftOut };
}

const bytesOf = ({ type, shape }: TensorInfo): number =>
  elementCount(shape) * bytesPerElement(type);

/** What was in the header of a safetensors file stays there; transformers asks for the format. */
const metadataOf = (
  format: string | undefined,
  metadata: Readonly<Record<string, string>>,
): Record<string, string> =>
  format === 'safetensors' ? { format: 'pt', ...metadata } : { format: 'pt' };

/** @throws UserError for what cannot be read, or has no name in a safetensors file, before anything is written */
async function requireWritable(
  { source }: Converting,
  tensors: readonly TensorInfo[],
): Promise<void> {
  const [first] = tensors;
  if (!first) {
    throw new UserError('The checkpoint holds no tensors.', 'Choose the file of its weights.');
  }
  for (const { name, storedAs, shape, type } of tensors) {
    if (name === '__metadata__') {
      throw new UnsupportedError(
        `A tensor is called ${quoted(name)}, which is no name in a safetensors file.`,
        'Give it another name in the program that wrote it.',
      );
    }
    if (!Number.isInteger(elementCount(shape) * bytesPerElement(type))) {
      throw new UnsupportedError(
        `Tensor ${quoted(name)} of type ${type} does not end with a whole byte.`,
        'Use a checkpoint in another type.',
      );
    }
    // What is packed in a way that cannot be read says so.
    const isRead = storedAs !== undefined && isReadableType(type) && elementCount(shape) > 0;
    if (isRead) await source.readRange(name, 0, 1);
  }
}

/** @throws UserError when the disk has less room than the weights take */
export async function requireSpace(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= bytes) return;
  throw new UserError(
    `The weights take ${formatBytes(bytes)}, but the disk has only ${formatBytes(bavail * bsize)} free.`,
    'Free some space or choose a folder on another disk.',
  );
}
