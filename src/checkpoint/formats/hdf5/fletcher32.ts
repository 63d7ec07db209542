/** Words whose sums are sure to fit into 32 bits. */
const WORDS = 360;

const folded = (sum: number): number => (sum & 0xffff) + (sum >>> 16);

/** The sum of Fletcher over words of 16 bits, big-endian, as HDF5 forms it. */
export function fletcher32(data: Uint8Array): number {
  let [first, second] = [0, 0];
  const words = data.length >> 1;
  for (let word = 0; word < words;) {
    const end = Math.min(words, word + WORDS);
    for (; word < end; word++) {
      first += (data[2 * word]! << 8) | data[2 * word + 1]!;
      second += first;
    }
    [first, second] = [folded(first), folded(second)];
  }
  if (data.length % 2 === 1) {
    first += data[data.length - 1]! << 8;
    second += first;
    [first, second] = [folded(first), folded(second)];
  }
  return ((folded(second) << 16) | folded(first)) >>> 0;
}
