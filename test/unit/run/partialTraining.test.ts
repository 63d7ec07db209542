import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UnsupportedError } from '../../../src/errors';
import { partialSpans } from '../../../src/run/train/partialTraining';
import { defaultTrainSettings, type TrainSettings } from '../../../src/run/settings';
import { readFixture } from '../architecture/fixtures';

const shape = { batchSize: 32, sequenceLength: 20, targets: 10 };

/** The spans of 1000 steps of a BERT with so many layers. */
function spans(changes: Partial<TrainSettings>, numHiddenLayers = 12) {
  const architecture = readFixture('bert').recognition.architecture.resized({
    ...{ numHiddenLayers, hiddenSize: 16, numAttentionHeads: 2, intermediateSize: 32 },
  });
  const settings = { ...defaultTrainSettings, steps: 1000, warmup: 100, ...changes };
  return partialSpans(architecture, settings, shape);
}

describe('when a training computes which part of a network', () => {
  it('is all of it all the time unless settings say otherwise', () => {
    assert.deepEqual(spans({}), [{ begin: 0, end: 1000, partial: undefined }]);
  });

  it('layer drop rises to its highest rate, which is right for all layers together', () => {
    const found = spans({ layerDrop: 0.1 });
    // 1 − e^(−step / 10) is a quarter at 2.88 and three quarters at 13.9.
    assert.deepEqual(
      found.map(({ begin, end }) => [begin, end]),
      [
        [0, 3],
        [3, 14],
        [14, 1000],
      ],
    );
    const [none, half, full] = found.map(({ partial }) => partial?.droppedSequences);
    assert.equal(none, undefined);
    const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
    const expected = 0.1 * 32 * (66 / 12);
    assert.equal(sum(half!), Math.round(expected / 2));
    assert.equal(sum(full!), Math.round(expected));
    assert.equal(full![0], 0);
    // Every layer has its own share, of whole sequences.
    full!.forEach((count, layer) => {
      assert.ok(Math.abs(count - 0.1 * 32 * (layer / 12)) < 1, `${count} in layer ${layer}`);
    });
  });

  it('a sub-network is the lower half of the layers, which lose tokens where they have a middle', () => {
    const [first, rest] = spans({ tokenDrop: 0.15, subNetwork: { steps: 125 } });
    assert.deepEqual([first?.begin, first?.end, rest?.end], [0, 125, 1000]);
    assert.deepEqual([first?.partial?.layers, rest?.partial?.layers], [6, 12]);
    assert.deepEqual([first?.partial?.droppedTokens, rest?.partial?.droppedTokens], [3, 3]);
    const [two] = spans({ tokenDrop: 0.15, subNetwork: { steps: 125, layers: 2 } });
    assert.equal(two?.partial?.droppedTokens, 0);
    const [odd] = spans({ subNetwork: { steps: 1 } }, 5);
    assert.equal(odd?.partial?.layers, 3);
  });

  it('models without a layer between the first and the last lose no tokens', () => {
    assert.throws(() => spans({ tokenDrop: 0.15 }, 2), UnsupportedError);
    assert.equal(spans({ tokenDrop: 0.15 }, 3)[0]?.partial?.droppedTokens, 3);
  });
});
