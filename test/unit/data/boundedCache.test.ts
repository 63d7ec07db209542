import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { atMost } from '../../../src/data/atMost';
import { boundedCache } from '../../../src/data/boundedCache';

describe('a bounded cache', () => {
  it('lets go of what was not used lately, and never holds more than its limit', () => {
    const cache = boundedCache<string>(10, value => value.length);
    cache.set(1, 'aaaa');
    cache.set(2, 'bbbb');
    assert.equal(cache.get(1), 'aaaa');
    cache.set(3, 'cccc');
    assert.deepEqual([cache.get(1), cache.get(2), cache.get(3)], ['aaaa', undefined, 'cccc']);
    assert.equal(cache.weight, 8);
    cache.set(3, 'c');
    assert.equal(cache.weight, 5);
    for (let key = 0; key < 100; key++) {
      cache.set(key, 'x'.repeat(key % 7));
      assert.ok(cache.weight <= 10);
    }
    cache.clear();
    assert.deepEqual([cache.weight, cache.get(99)], [0, undefined]);
  });

  it('does not take what is larger than all of it, and keeps the rest', () => {
    const cache = boundedCache<string>(10, value => value.length);
    cache.set(1, 'aaaa');
    cache.set(2, 'b'.repeat(11));
    assert.deepEqual([cache.get(1), cache.get(2)], ['aaaa', undefined]);
  });
});

describe('a limit to tasks at a time', () => {
  it('is kept, in order, and freed by tasks that fail', async () => {
    const inTurn = atMost(2);
    let running = 0;
    let most = 0;
    const started: number[] = [];
    const tasks = Array.from({ length: 9 }, (_, index) =>
      inTurn(async () => {
        started.push(index);
        most = Math.max(most, ++running);
        await new Promise(resolve => setTimeout(resolve, 1));
        running--;
        if (index % 3 === 0) throw new Error(`task ${index}`);
        return index;
      }),
    );
    const results = await Promise.allSettled(tasks);
    assert.equal(most, 2);
    assert.deepEqual(started, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(results.filter(({ status }) => status === 'rejected').length, 3);
  });
});
