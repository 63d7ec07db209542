/** What a person should know, and can do about it, in the words of the face that shows it. */
export interface Told {
  readonly message: string;
  readonly remedy: string;
}
