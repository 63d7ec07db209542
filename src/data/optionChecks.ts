import { UsageError } from '../errors';

/** @throws UsageError when a number is not whole or below its least value */
export function requireWhole(name: string, value: number, least = 1): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new UsageError(
    `The ${name} is ${value}; it must be a whole number of at least ${least}.`,
    `Give a ${name} of ${least} or more.`,
  );
}

/** @throws UsageError when what is held out would be nothing or everything */
export function requireShare(heldOutFraction: number): void {
  if (heldOutFraction > 0 && heldOutFraction < 1) return;
  throw new UsageError(
    `The held-out share is ${heldOutFraction}, which is not between 0 and 1.`,
    'Give a share such as 0.05.',
  );
}
