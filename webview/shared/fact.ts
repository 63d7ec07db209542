/** A label with its value. */
export interface Fact {
  readonly label: string;
  readonly value: string;
  /** Values to be read letter by letter: hashes, paths. */
  readonly code?: boolean;
  /** Long ones get a line of their own. */
  readonly wide?: boolean;
}
