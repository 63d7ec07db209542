import { UnsupportedError, type Note } from '../../../errors';
import { formatBytes } from '../../../format';
import { quoted } from '../../names';
import { elementCount } from '../../tensor';
import type { PlacedTensor } from './tensorTable';

/** @throws UnsupportedError when the numbers of some tensors cannot be told here */
export function requireReadable(tensors: readonly PlacedTensor[]): void {
  const unread = tensors.filter(({ kind }) => 'blocks' in kind && !kind.blocks.dequantise);
  const [first] = unread;
  if (!first) return;
  const are = unread.length === 1 ? 'One tensor is' : `${unread.length} tensors are`;
  throw new UnsupportedError(
    `${are} quantised as ${kindsOf(unread)} (${quoted(first.name)}), which cannot be read as numbers here.`,
    'Take a file of the same model in F16, BF16, Q8_0 or Q4_K_M, or its original weights.',
  );
}

/** What it costs to use what is quantised. */
export function notesOnQuantised(tensors: readonly PlacedTensor[]): Note[] {
  const blocks = tensors.filter(({ kind }) => 'blocks' in kind);
  if (blocks.length === 0) return [];
  const bytes = blocks.reduce((sum, tensor) => sum + tensor.bytes, 0);
  const asFloats = blocks.reduce((sum, { shape }) => sum + 4 * elementCount(shape), 0);
  const are = blocks.length === 1 ? 'tensor is' : 'tensors are';
  return [
    {
      message: `${blocks.length} of ${tensors.length} ${are} quantised (${kindsOf(blocks)}): they are read as float32, ${formatBytes(asFloats)} in place of ${formatBytes(bytes)}, without the digits that quantising took.`,
      remedy: 'Start from the original weights where you can get them, and quantise the result.',
    },
  ];
}

/** The names of their kinds, each once. */
const kindsOf = (tensors: readonly PlacedTensor[]): string =>
  [...new Set(tensors.flatMap(({ kind }) => ('blocks' in kind ? kind.blocks.name : [])))].join(
    ', ',
  );
