import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { growthSettings, usualGrowthSteps } from '../../../src/run/compare/request';
import { defaultTrainSettings } from '../../../src/run/settings';

const request = {
  growthSteps: 20,
  training: { ...defaultTrainSettings, steps: 500, warmup: 50, recompute: true },
};

describe('how operators are learned in a comparison', () => {
  it('takes a hundredth of the training’s steps, but no fewer than 10 and no more than 100', () => {
    assert.deepEqual([4, 750, 3000, 400_000].map(usualGrowthSteps), [10, 10, 30, 100]);
  });

  it('keeps each method’s own settings but for those the comparison names', () => {
    const own = growthSettings(request, 'ligo');
    assert.equal(own.steps, 20);
    assert.equal(own.warmup, 2);
    assert.equal(own.recompute, true);
    assert.equal(own.freshness, 'pre-norm');
    const released = growthSettings(request, 'ligo-paper');
    assert.equal(released.freshness, 0);
    assert.equal(released.warmup, 10_000);
    assert.equal(growthSettings({ ...request, freshness: 0 }, 'ligo').freshness, 0);
  });
});
