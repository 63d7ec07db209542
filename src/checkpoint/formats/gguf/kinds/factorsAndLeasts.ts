/** The factor of one of the eight groups of a Q4_K or Q5_K block, of 6 bits. */
export function factorOf(blocks: Uint8Array, at: number, group: number): number {
  if (group < 4) return blocks[at + group]! & 63;
  return (blocks[at + 4 + group]! & 15) | ((blocks[at + group - 4]! >> 2) & 48);
}

/** Its least value, of 6 bits. */
export function leastOf(blocks: Uint8Array, at: number, group: number): number {
  if (group < 4) return blocks[at + 4 + group]! & 63;
  return (blocks[at + 4 + group]! >> 4) | ((blocks[at + group]! >> 2) & 48);
}
