import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** By what it shows that a file was changed, or something beside it that decides what it is. */
export interface Stamp {
  readonly own: string;
  readonly beside: string;
}

/** Times and sizes of files as they are during one look at the workspace. */
export class Stamps {
  private readonly folders = new Map<string, Promise<string>>();

  /** Undefined when the file is gone. */
  async of(path: string): Promise<Stamp | undefined> {
    const own = await timeAndSize(path);
    return own === undefined ? undefined : { own, beside: await this.beside(dirname(path)) };
  }

  /** Of what all files of a folder share, so that it is asked for once. */
  private beside(folder: string): Promise<string> {
    const known = this.folders.get(folder);
    if (known !== undefined) return known;
    const files = [join(folder, 'config.json'), join(folder, 'growth.json'), folder];
    const asked = Promise.all(files.map(timeAndSize)).then(parts => parts.join(' '));
    this.folders.set(folder, asked);
    return asked;
  }
}

const timeAndSize = (path: string): Promise<string | undefined> =>
  stat(path).then(
    ({ mtimeMs, size }) => `${mtimeMs}:${size}`,
    () => undefined,
  );
