/**
 * Bytes of the file that holds a tensor, or of another file of its checkpoint, from one up to another,
 * fresh. @throws UserError
 */
export type ReadBytes = (begin: number, end: number, file?: string) => Promise<Uint8Array>;

/** How the elements of a tensor lie in its file. */
export interface Layout {
  /**
   * Elements in row-major order as bytes of the tensor's type, little endian, fresh and all of
   * their buffer: so many from the given one on. It reads little more of the file than these take.
   * The caller has checked that the tensor has them.
   * @throws UserError
   */
  read(readBytes: ReadBytes, firstElement: number, count: number): Promise<Uint8Array>;
}
