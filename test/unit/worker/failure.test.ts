import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InterruptedError, UserError } from '../../../src/errors';
import { resume, set } from '../../../src/remedy/actions';
import { advise } from '../../../src/remedy/remedy';
import { explainFailure } from '../../../src/worker/failure';

describe('a failure as the editor tells it', () => {
  it('says what to do in the words of the editor', () => {
    const failure = new UserError('It is too small.', advise`Wait, or ${set('engine', 'cpu')}.`);
    assert.deepEqual(explainFailure(failure), {
      message: 'It is too small.',
      remedy: 'Wait, or set ligo.engine to cpu.',
    });
  });

  it('is no failure where a person stopped it', () => {
    const stop = new InterruptedError('Stopped.', advise`${resume()} to go on.`);
    assert.deepEqual(explainFailure(stop), {
      message: 'Stopped.',
      remedy: 'Resume the run to go on.',
      interrupted: true,
    });
  });
});
