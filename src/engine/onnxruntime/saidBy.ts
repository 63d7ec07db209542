import { firstLine } from '../firstLine';

/** What the runtime said, its first line, without the place in its source and its macros. */
export const saidBy = (error: unknown): string =>
  firstLine(error)
    .replace(/^.* was false\. /, '')
    .replace(/^.*Status Message: /, '');
