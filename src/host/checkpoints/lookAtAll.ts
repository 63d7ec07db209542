import { forEachSome } from '../forEachSome';
import { HelperLostError } from '../serviceClient';

/** How many files are looked at. */
export interface Pace {
  /** Looks at the same time. */
  readonly atOnce: number;
  /** Files of each. */
  readonly together: number;
}

/**
 * Looks at all files, some together. One that ends the helper process takes along whatever was asked of
 * it meanwhile: those are looked at again, one after another, and `onFatal` is told the ones that end it
 * on their own.
 */
export async function lookAtAll(
  paths: readonly string[],
  { atOnce, together }: Pace,
  look: (paths: readonly string[]) => Promise<void>,
  onFatal: (path: string, error: HelperLostError) => Promise<void>,
): Promise<void> {
  const lookOr = (
    some: readonly string[],
    whenLost: (error: HelperLostError) => Promise<void> | void,
  ): Promise<void> =>
    look(some).catch((error: unknown) => {
      if (!(error instanceof HelperLostError)) throw error;
      return whenLost(error);
    });
  const groups: (readonly string[])[] = [];
  for (let at = 0; at < paths.length; at += together) groups.push(paths.slice(at, at + together));
  const lost: string[] = [];
  await forEachSome(groups, atOnce, group => lookOr(group, () => void lost.push(...group)));
  for (const path of lost) await lookOr([path], error => onFatal(path, error));
}
