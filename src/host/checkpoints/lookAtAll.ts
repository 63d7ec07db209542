import { forEachSome } from '../forEachSome';
import { HelperLostError } from '../serviceClient';

/**
 * Looks at all files, so many at the same time. One that ends the helper process takes along whatever
 * was asked of it meanwhile: those are looked at again, one after another, and `onFatal` is told the
 * ones that end it on their own.
 */
export async function lookAtAll(
  paths: readonly string[],
  atOnce: number,
  look: (path: string) => Promise<void>,
  onFatal: (path: string, error: HelperLostError) => Promise<void>,
): Promise<void> {
  const lookOr = (
    path: string,
    whenLost: (error: HelperLostError) => Promise<void> | void,
  ): Promise<void> =>
    look(path).catch((error: unknown) => {
      if (!(error instanceof HelperLostError)) throw error;
      return whenLost(error);
    });
  const lost: string[] = [];
  await forEachSome(paths, atOnce, path => lookOr(path, () => void lost.push(path)));
  for (const path of lost) await lookOr(path, error => onFatal(path, error));
}
