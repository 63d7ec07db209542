import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  recognizeArchitecture,
  type Architecture,
  type ModelConfig,
} from '../../../src/architecture';
import { refusals } from '../../../src/growth';
import { insertedPlacements } from '../../../src/growth/methods/layers';
import { readFixture, readModel, shapesOf } from '../architecture/fixtures';
import { remedyText } from '../../support/remedyText';

/** Four layers, of which the last does not rotate. */
const source = readFixture('smollm3').recognition.architecture;
const deeper = (layers: number) => ({ ...source.dimensions, numHiddenLayers: layers });

describe('layers of several kinds', () => {
  it('are told by the family, in turn', () => {
    assert.deepEqual(source.layerTypes, [
      '1 full_attention',
      '1 full_attention',
      '1 full_attention',
      '0 full_attention',
    ]);
    const { layerTypes, config } = source.resized(deeper(8));
    assert.deepEqual(layerTypes, [...source.layerTypes, ...source.layerTypes]);
    assert.deepEqual(config['no_rope_layers'], [1, 1, 1, 0, 1, 1, 1, 0]);
  });

  it('grow by whole periods, and the refusal names the depths that fit', () => {
    assert.deepEqual(refusals(source, deeper(8)), []);
    const [refusal] = refusals(source, deeper(6));
    assert.match(refusal!.reason, /every 4 layers repeat/);
    assert.match(remedyText(refusal!.remedy), /4 or 8 layers/);
  });

  it('are inserted by whole periods, so that every layer stays among its kind', () => {
    const placements = (from: Architecture, layers: number) =>
      insertedPlacements({
        source: from,
        target: from.resized({ ...from.dimensions, numHiddenLayers: layers }),
      })
        .map(({ origin, inserted }) => (inserted ? `(${origin})` : String(origin)))
        .join(' ');
    assert.equal(placements(source, 8), '0 1 2 3 (0) (1) (2) (3)');
    // Three layers in turns of two: the second turn is made whole before another follows.
    const { architecture } = readFixture('gemma2').recognition;
    assert.equal(placements(architecture, 3), '0 1 2');
    assert.equal(placements(architecture, 4), '0 1 2 (1)');
    assert.equal(placements(architecture, 8), '0 1 (0) (1) 2 (1) (2) (1)');
  });

  it('are written as a list where the family would take others for the new depth', () => {
    const { architecture } = readFixture('gemma3').recognition;
    const unlisted = { ...architecture.config, layer_types: null };
    const built = (config: ModelConfig) =>
      recognizeArchitecture(config, shapesOf(readModel('gemma3'))).architecture;
    const turnsOfFour = built({ ...unlisted, sliding_window_pattern: 4 });
    const grown = turnsOfFour.resized({ ...turnsOfFour.dimensions, numHiddenLayers: 8 });
    assert.equal(grown.config['layer_types'], null);
    assert.deepEqual(grown.layerTypes, [...turnsOfFour.layerTypes!, ...turnsOfFour.layerTypes!]);
    // Four layers of a turn of six are all alike; so are the new ones.
    const alike = built({ ...unlisted, sliding_window_pattern: 6 });
    assert.equal(alike.layerTypes, undefined);
    const deeper = alike.resized({ ...alike.dimensions, numHiddenLayers: 8 });
    assert.deepEqual(deeper.config['layer_types'], new Array(8).fill('sliding_attention'));
  });
});
