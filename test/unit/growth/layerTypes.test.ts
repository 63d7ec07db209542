import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { growthMethod, refusals, type GrowthMethodName } from '../../../src/growth';
import { readFixture } from '../architecture/fixtures';

/** Four layers, of which the last does not rotate. */
const source = readFixture('smollm3').recognition.architecture;
const deeper = (layers: number) => ({ ...source.dimensions, numHiddenLayers: layers });

describe('layers of several kinds', () => {
  it('are told by the family, in turn', () => {
    assert.deepEqual(source.layerTypes, ['true', 'true', 'true', 'false']);
    const { layerTypes, config } = source.resized(deeper(8));
    assert.deepEqual(layerTypes, [...source.layerTypes, ...source.layerTypes]);
    assert.deepEqual(config['no_rope_layers'], [1, 1, 1, 0, 1, 1, 1, 0]);
  });

  it('grow by whole periods, and the refusal names the depths that fit', () => {
    assert.deepEqual(refusals(source, deeper(8)), []);
    const [refusal] = refusals(source, deeper(6));
    assert.match(refusal!.reason, /every 4 layers repeat/);
    assert.match(refusal!.remedy, /4 or 8 layers/);
  });

  it('are stacked, and nothing is inserted between them', () => {
    const growth = { source, target: source.resized(deeper(8)) };
    const refused = (name: GrowthMethodName) => growthMethod(name).refusals?.(growth) ?? [];
    for (const name of ['stack', 'interpolate', 'ligo', 'copy'] as const) {
      assert.deepEqual(refused(name), [], name);
    }
    for (const name of ['lemon', 'net2net', 'llama-pro'] as const) {
      assert.match(refused(name)[0]!.reason, new RegExp(`^${name} inserts layers`));
    }
  });
});
