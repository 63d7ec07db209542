import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InterruptedError } from '../../../src/errors';
import { lengthWarning } from '../../../src/run/score/positionLosses';
import { memoryRefusal } from '../../../src/run/plan/memoryRefusal';
import { explainFailure, inEditor } from '../../../src/worker/failure';

describe('a run that was stopped', () => {
  it('is gone on with where something of it is kept, and begins again where not', () => {
    const remedyOf = (saved: boolean): string =>
      explainFailure(new InterruptedError('Stopped.', 'Give --resume.', { saved })).remedy;
    assert.equal(remedyOf(true), 'Resume the run to go on.');
    assert.equal(remedyOf(false), 'Start the run again.');
  });
});

describe('a remedy in the editor', () => {
  it('names the line of the plan that shortens sequences', () => {
    const parts = [3, 3, 3, 3, 5, 5, 5, 5].map((mean, index) => ({
      ...{ from: 8 * index, targets: 500, mean, standardError: 0.05 },
    }));
    assert.equal(
      inEditor(lengthWarning(parts)!.remedy),
      'Use sequences of at most 32 tokens (Sequence Length… in the plan).',
    );
  });

  it('says in words what options of the command line say', () => {
    const { remedy } = memoryRefusal(2e9, { bytes: 1e9, of: 'main memory' })!;
    assert.match(inEditor(remedy), /^Lower the batch or the length of sequences, choose a smaller/);
    assert.equal(
      inEditor('Lower --batch or --sequence-length, or give --engine cpu.'),
      'Lower the batch or the length of sequences, or set ligo.engine to cpu.',
    );
    assert.equal(
      inEditor('Give more text, a smaller --sequence-length, or a separate text (--eval-data).'),
      'Give more text, shorter sequences, or a separate text.',
    );
    assert.equal(
      inEditor('Give --sequence-length 128 or less.'),
      'Use sequences of at most 128 tokens.',
    );
  });
});
