import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import {
  crossEntropy,
  logits,
  predictions,
  recognizeArchitecture,
} from '../../../src/architecture';
import {
  evaluate,
  topologicalOrder,
  type Tensor,
  type TensorData,
  inputName,
} from '../../../src/graph';
import { assertClose } from '../../support/close';
import { testEngine } from '../../support/engines';
import { goldenBatch, goldenTargets } from '../../support/goldenObjective';
import { fedForward } from './forward';
import { fixtureNames, officialGrown, parameterValues, readFixture, readGolden } from './fixtures';

const engine = await testEngine({ threads: 1 });
after(() => engine.dispose());

/** The same tensors by the float64 reference and by ONNX Runtime. */
async function evaluateBothWays(
  results: Readonly<Record<string, Tensor>>,
  feeds: Readonly<Record<string, TensorData>>,
): Promise<Record<string, ArrayLike<number>>[]> {
  const tensors = Object.values(results);
  const reference = evaluate(tensors, feeds);
  const inputs = topologicalOrder(tensors)
    .filter(({ op }) => op === 'Input')
    .map(({ outputs }) => outputs[0]!);
  const program = { feeds: inputs, frozen: [], state: [], outputs: results };
  const read = new Set(inputs.map(inputName));
  const fed = Object.fromEntries(Object.entries(feeds).filter(([name]) => read.has(name)));
  const executable = await engine.compile(program);
  const computed = await executable.run(fed);
  await executable.dispose();
  const names = Object.keys(results);
  return [Object.fromEntries(names.map((name, index) => [name, reference[index]!])), computed];
}

for (const family of fixtureNames) {
  test(`${family} computes the hidden states, logits and loss of transformers`, async () => {
    const fixture = readFixture(family);
    const { architecture } = fixture.recognition;
    const golden = readGolden(family);
    const forward = fedForward(
      architecture,
      parameterValues(fixture),
      goldenBatch(family, fixture),
    );
    const { hiddenStates, classStates = [], readout, feed, feeds } = forward;
    assert.equal(hiddenStates.length, architecture.dimensions.numHiddenLayers + 1);

    const { rows, labels } = goldenTargets(family, fixture);
    const { loss, perRow } = crossEntropy(
      readout(rows && feed('rows', rows)),
      feed(
        'targets',
        labels.map(label => Math.max(label, 0)),
      ),
      feed(
        'lossWeights',
        Float32Array.from(labels, label => (label === -100 ? 0 : 1)),
      ),
    );
    const everyRow = readout();
    const results: Record<string, Tensor> = {
      loss,
      perRow,
      logits: logits(everyRow),
      best: predictions(everyRow),
    };
    hiddenStates.forEach((state, index) => (results[`hidden.${index}`] = state));
    classStates.forEach((state, index) => (results[`class.${index}`] = state));

    const expectedLogits = golden.get('out.logits')!;
    const classes = expectedLogits.shape.at(-1)!;
    for (const computed of await evaluateBothWays(results, feeds)) {
      for (const name of Object.keys(results).filter(name => /^(hidden|class)\./.test(name))) {
        assertClose(computed[name]!, golden.get(`out.${name}`)!.data, 1e-4, name);
      }
      assertClose(computed['logits']!, expectedLogits.data, 1e-4, 'logits');
      assertClose(computed['loss']!, golden.get('out.loss')!.data, 1e-5, 'loss');
      Array.from(computed['best']!).forEach((prediction, row) => {
        const scores = expectedLogits.data.subarray(row * classes, (row + 1) * classes);
        assert.equal(scores[prediction], Math.max(...scores));
      });
    }
  });
}

test('an untied head computes the loss that the released code has on its grown BERT', async () => {
  const { config, tensors, batch, loss: expected } = officialGrown();
  const fixture = { config, tensors, recognition: recognizeArchitecture(config, tensors) };
  const ids = batch.get('input_ids')!;
  const labels = batch.get('labels')!.data as Int32Array;
  const [batchSize, sequenceLength] = ids.shape as [number, number];
  const masked = Int32Array.from([...labels.keys()].filter(index => labels[index] !== -100));
  const { readout, feed, feeds } = fedForward(
    fixture.recognition.architecture,
    parameterValues(fixture),
    { batchSize, sequenceLength, inputIds: ids.data as Int32Array },
  );
  const { loss } = crossEntropy(
    readout(feed('positions', masked)),
    feed(
      'targets',
      masked.map(index => labels[index]!),
    ),
    feed('lossWeights', new Float32Array(masked.length).fill(1)),
  );
  for (const computed of await evaluateBothWays({ loss }, feeds)) {
    assertClose(computed['loss']!, [expected], 1e-5, 'loss');
  }
});
