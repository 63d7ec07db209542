import { dirname } from 'node:path';

/** What to look at again. */
export interface Changed {
  /** Whether files may have come or gone. */
  readonly names: boolean;
  /** Whether a file, or what beside it decides what it is, may have been changed. */
  readonly mayConcern: (path: string) => boolean;
}

/** Where files were changed since it was last asked: nothing else needs to be looked at again. */
export class Changes {
  private names = true;
  private anywhere = true;
  private inside = new Set<string>();
  private below = new Set<string>();

  /** What a file holds. */
  file(path: string): void {
    this.inside.add(dirname(path));
  }

  /** A file came or went. */
  name(path: string): void {
    this.names = true;
    this.file(path);
  }

  /** A folder came or went, with all that is in it. */
  folder(path: string): void {
    this.names = true;
    this.below.add(path);
  }

  /** Nobody knows what. */
  all(): void {
    this.names = true;
    this.anywhere = true;
  }

  /** All there was so far; what comes later counts anew. */
  take(): Changed {
    const { names, anywhere, inside, below } = this;
    [this.names, this.anywhere] = [false, false];
    [this.inside, this.below] = [new Set(), new Set()];
    const known = new Map<string, boolean>();
    const isBelow = (folder: string): boolean => {
      if (below.size === 0) return false;
      let is = known.get(folder);
      if (is === undefined) {
        const above = dirname(folder);
        is = below.has(folder) || (above !== folder && isBelow(above));
        known.set(folder, is);
      }
      return is;
    };
    return {
      names,
      mayConcern: path => {
        const folder = dirname(path);
        return anywhere || inside.has(folder) || isBelow(folder);
      },
    };
  }
}
