import type { Failures } from '../failures';

/** Bytes of memory that the values of a pickle may take: some 130,000 tensors. */
const MAX_BYTES = 256_000_000;
/** Opcodes of a pickle at most: one of 100,000 tensors has some 4 million. */
const MAX_OPCODES = 20_000_000;

/** About how many bytes values take in memory, measured with Node 20 and rounded up. */
export const bytesOf = {
  scalar: 64,
  /** What no float is: as of an integer of 31 bits. */
  small: 32,
  text: (length: number): number => 40 + 2 * length,
  container: 96,
  entry: 72,
  item: 16,
  memo: 16,
  farMemo: 112,
  tensor: 160,
} as const;

/** Keeps a pickle from taking more memory or time than any honest one. */
export class Budget {
  private bytes = 0;
  private opcodes = 0;

  constructor(private readonly fail: Failures) {}

  /** Before this many bytes are taken. @throws UnsupportedError */
  spend(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > MAX_BYTES) this.tooMuch();
  }

  /** Before an opcode is followed. @throws UnsupportedError */
  step(): void {
    this.opcodes++;
    if (this.opcodes > MAX_OPCODES) this.tooMuch();
  }

  private tooMuch(): never {
    return this.fail.unsupported(
      'its pickle describes more than any known checkpoint (over 100,000 tensors)',
      'Save the tensors of the model alone, or in several files, or with the safetensors library.',
    );
  }
}
