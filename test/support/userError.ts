import assert from 'node:assert/strict';
import type { UserError } from '../../src/errors';
import { remedyText } from './remedyText';

/** The error a job fails with, checked to be one for people. */
export async function failure<T extends UserError>(
  job: Promise<unknown>,
  kind: abstract new (...args: never[]) => T,
  says: RegExp,
): Promise<T> {
  const error = await job.then(
    () => assert.fail(`nothing was thrown; expected ${String(says)}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof kind, `expected ${kind.name}, got ${String(error)}`);
  assert.match(error.message, says);
  assert.match(remedyText(error.remedy), /^[A-Z].*\.$/);
  return error;
}
