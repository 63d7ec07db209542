import assert from 'node:assert/strict';

type Numbers = ArrayLike<number>;

/** The largest |actual − expected|, Infinity when a value is not a number. */
export function largestDifference(actual: Numbers, expected: Numbers): number {
  assert.equal(actual.length, expected.length, 'as many values as expected');
  let largest = 0;
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (Number.isNaN(difference)) return Infinity;
    largest = Math.max(largest, difference);
  }
  return largest;
}

/** Asserts that every value lies within an absolute tolerance. */
export function assertClose(
  actual: Numbers,
  expected: Numbers,
  tolerance: number,
  what = '',
): void {
  const difference = largestDifference(actual, expected);
  assert.ok(difference <= tolerance, `${what} differs by ${difference}, more than ${tolerance}`);
}

/** ‖actual − expected‖ / ‖expected‖ (the plain difference where the expected norm is below `floor`). */
export function relativeError(actual: Numbers, expected: Numbers, floor = 1e-12): number {
  assert.equal(actual.length, expected.length, 'as many values as expected');
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < actual.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(norm), floor);
}
