import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Batch } from '../../../src/data/batches';
import type { Executable } from '../../../src/engine';
import { evaluateModel, frequencyLoss } from '../../../src/training';
import { assertClose } from '../../support/close';
import { handMadeBatches } from './handMade';

const batch = (targets: readonly number[], weights: readonly number[]): Batch => ({
  targets: Int32Array.from(targets),
  weights: Float32Array.from(weights),
});

/** An executable whose outputs are decided by hand. */
const answering = (run: Executable['run']): Executable => ({
  stateNames: [],
  load: () => undefined,
  run,
  readState: () => Promise.resolve({}),
  takeState: () => Promise.resolve({}),
  dispose: () => Promise.resolve(),
});

const never = new AbortController().signal;
const noTraining = (): Batch => {
  throw new Error('Evaluation reads no training batch');
};

describe('evaluateModel', () => {
  // The second batch holds one target; its other rows only fill it up.
  const held = [batch([1, 2, 3, 0], [0.25, 0.25, 0.25, 0.25]), batch([5, 0, 0, 0], [1, 0, 0, 0])];
  const answers = [
    { loss: Float32Array.of(2), predictions: Int32Array.of(1, 0, 3, 0) },
    { loss: Float32Array.of(7), predictions: Int32Array.of(4, 0, 0, 0) },
  ];
  const model = answering(given => Promise.resolve(answers[held.indexOf(given as Batch)]!));

  it('weighs every target alike, however many its batch has', async () => {
    const scores = await evaluateModel(model, handMadeBatches(noTraining, held), never);
    assertClose([scores.loss], [(4 * 2 + 7) / 5], 1e-12);
    assertClose([scores.perplexity!], [Math.exp(3)], 1e-9);
    assert.equal(scores.batches, 2);
  });

  it('counts only rows that have a target as right or wrong', async () => {
    const { accuracy } = await evaluateModel(model, handMadeBatches(noTraining, held), never);
    assertClose([accuracy!], [3 / 5], 1e-12);
  });

  it('stops between batches when it is told to', async () => {
    const controller = new AbortController();
    let runs = 0;
    const stopping = answering(() => {
      runs++;
      controller.abort();
      return Promise.resolve(answers[0]!);
    });
    const batches = handMadeBatches(noTraining, held);
    await assert.rejects(evaluateModel(stopping, batches, controller.signal), /abort/i);
    assert.equal(runs, 1);
  });
});

describe('frequencyLoss', () => {
  it('is the cross-entropy of predicting every target by its share of training targets', async () => {
    // 50 batches of three targets: 100 times class 0, 50 times class 2; one more of each of 4.
    const batches = handMadeBatches(
      () => batch([0, 2, 0], [1, 1, 1]),
      [batch([0, 0, 1], [1, 1, 1]), batch([2], [1])],
    );
    const probability = [101, 1, 51, 1].map(count => count / 154);
    const expected =
      -(2 * Math.log(probability[0]!) + Math.log(probability[1]!) + Math.log(probability[2]!)) / 4;
    assertClose([await frequencyLoss(batches, { kind: 'class', classes: 4 })], [expected], 1e-12);
  });

  it('counts no row that only fills a batch, in training or held out', async () => {
    const filled = handMadeBatches(
      () => batch([0, 1, 1, 1], [1, 0, 0, 0]),
      [batch([0, 1, 1], [0.5, 0.5, 0])],
    );
    const plain = handMadeBatches(() => batch([0], [1]), [batch([0, 1], [0.5, 0.5])]);
    assertClose(
      [await frequencyLoss(filled, { kind: 'class', classes: 2 })],
      [await frequencyLoss(plain, { kind: 'class', classes: 2 })],
      1e-12,
    );
    assertClose(
      [await frequencyLoss(plain, { kind: 'class', classes: 2 })],
      [-Math.log((51 / 52) * (1 / 52)) / 2],
      1e-12,
    );
  });

  it('is the logarithm of the classes when all are as frequent', async () => {
    const batches = handMadeBatches(
      () => batch([0, 1, 2], [1, 1, 1]),
      [batch([0, 1, 2, 2], [1, 1, 1, 1])],
    );
    assertClose(
      [await frequencyLoss(batches, { kind: 'class', classes: 3 })],
      [Math.log(3)],
      1e-12,
    );
  });
});
