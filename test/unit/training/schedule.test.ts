import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scheduleScale, type Schedule } from '../../../src/training';
import { assertClose } from '../../support/close';

const scales = (schedule: Schedule): number[] =>
  Array.from({ length: schedule.steps }, (_, step) => scheduleScale(schedule, step));

describe('a schedule', () => {
  it('warms up in equal steps that are never zero, then holds when constant', () => {
    assertClose(
      scales({ kind: 'constant', steps: 6, warmup: 3 }),
      [0.25, 0.5, 0.75, 1, 1, 1],
      1e-15,
    );
  });

  it('falls linearly from the peak towards zero, which only the step after the last would have', () => {
    const schedule = { kind: 'linear', steps: 5, warmup: 1 } as const;
    assertClose(scales(schedule), [0.5, 1, 0.75, 0.5, 0.25], 1e-15);
    assert.equal(scheduleScale(schedule, 5), 0);
    assert.equal(scheduleScale(schedule, 50), 0);
  });

  it('falls along half a cosine', () => {
    const schedule = { kind: 'cosine', steps: 4, warmup: 0 } as const;
    const quarter = 0.5 * (1 + Math.SQRT1_2);
    assertClose(scales(schedule), [1, quarter, 0.5, 1 - quarter], 1e-15);
    assertClose([scheduleScale(schedule, 4), scheduleScale(schedule, 9)], [0, 0], 1e-15);
  });

  for (const kind of ['constant', 'linear', 'cosine'] as const) {
    it(`stays above zero and at most one, and reaches one: ${kind}`, () => {
      for (const [steps, warmup] of [
        [100, 10],
        [1, 0],
        [7, 6],
      ] as const) {
        const values = scales({ kind, steps, warmup });
        assert.ok(values.every(value => value > 0 && value <= 1));
        assert.equal(Math.max(...values), 1);
        assert.equal(values.indexOf(1), warmup);
      }
    });

    it(`only warms up when the warm-up is as long as the run: ${kind}`, () => {
      assertClose(scales({ kind, steps: 3, warmup: 5 }), [1 / 6, 2 / 6, 3 / 6], 1e-15);
    });
  }
});
