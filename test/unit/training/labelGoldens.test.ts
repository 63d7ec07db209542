import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  assembleTensor,
  extractParameter,
  plainWeights,
  recognizeArchitecture,
} from '../../../src/architecture';
import type { NamedData } from '../../../src/engine';
import { input, inputName, type TensorData } from '../../../src/graph';
import {
  batchFeeds,
  hasNumericTargets,
  objectiveGraph,
  optimizerFeeds,
  trainingProgram,
  type AdamWOptions,
} from '../../../src/training';
import { assertClose, relativeError } from '../../support/close';
import { testEngine } from '../../support/engines';
import { fixture, fixtureJson } from '../../support/fixtures';
import { runOnce, withExecutable, zeroMoments } from '../../support/programs';
import { readSafetensors } from '../../support/safetensors';

/** Classifiers of text that transformers computed, by test/fixtures/labels/make.py. */
const names = [
  'bert-classes',
  'bert-multi',
  'bert-number',
  'bert-tokens',
  'roberta-classes',
  'roberta-numbers',
  'gpt2-classes',
  'gpt2-multi',
  'gpt2-tokens',
];

interface Golden {
  readonly loss: number;
  readonly adamw_losses: readonly number[];
  readonly adamw: {
    readonly lr: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weight_decay: number;
  };
}

const engine = await testEngine({ threads: 2 });
after(() => engine.dispose());

const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

/** The objective of a fixture over its batch, as runs build it. */
function built(name: string) {
  const config = fixtureJson<Record<string, unknown>>(`labels/${name}/config.json`);
  const tensors = readSafetensors(fixture(`labels/${name}/model.safetensors`));
  const golden = readSafetensors(fixture(`labels/${name}/golden.safetensors`));
  const { architecture, names: onDisk, ignored } = recognizeArchitecture(config, tensors);
  assert.deepEqual(ignored, []);

  const { shape, data } = golden.get('in.input_ids')!;
  const ids = data as Int32Array;
  const [batchSize, sequenceLength] = shape as [number, number];
  const mask = Float32Array.from(golden.get('in.attention_mask')!.data);
  const labels = golden.get('in.labels')!.data;
  const isOfTokens = architecture.objective === 'token-classification';
  const rows = isOfTokens ? ids.length : batchSize;
  const counted = isOfTokens
    ? Float32Array.from(labels, label => Number(label !== -100))
    : undefined;
  const lengths = Array.from({ length: batchSize }, (_, row) =>
    mask.subarray(row * sequenceLength, (row + 1) * sequenceLength).reduce((a, b) => a + b),
  );
  const positionOf = (row: number): number =>
    isOfTokens
      ? row
      : row * sequenceLength + (architecture.readsToken === 'last' ? lengths[row]! - 1 : 0);
  const positionIds = architecture.positionIds?.(ids, sequenceLength);
  const feeds: Record<string, TensorData> = {
    input_ids: ids,
    attention_mask: mask,
    ...(positionIds && { position_ids: positionIds }),
    positions: Int32Array.from({ length: rows }, (_, row) => positionOf(row)),
    targets: hasNumericTargets(architecture)
      ? Float32Array.from(labels)
      : Int32Array.from(labels, label => Math.max(label, 0)),
    weights: counted ?? new Float32Array(rows).fill(1),
  };
  const used = architecture.parameters.filter(parameter => parameter.used);
  const inputs = new Map(used.map(({ id, shape: size }) => [id, input(id, size)]));
  const objective = objectiveGraph(
    architecture,
    plainWeights(id => inputs.get(id)),
    batchFeeds(architecture, { batchSize, sequenceLength, targets: rows }),
  );
  const values: NamedData = Object.fromEntries(
    used.map(parameter => [
      parameter.id,
      extractParameter(
        parameter,
        tensors.get(onDisk.get(parameter.stored.tensor)!)!.data as Float32Array,
      ),
    ]),
  );
  return { architecture, golden, feeds, used, inputs, objective, values };
}

for (const name of names) {
  describe(`${name} by its labels`, () => {
    const expected = fixtureJson<Golden>(`labels/${name}/golden.json`);
    const model = built(name);
    const options: AdamWOptions = {
      betas: expected.adamw.betas,
      epsilon: expected.adamw.eps,
      clipNorm: undefined,
    };
    const groups = [
      { name: 'all', learningRate: expected.adamw.lr, weightDecay: expected.adamw.weight_decay },
    ];
    const program = trainingProgram(
      model.objective,
      [...model.inputs.values()].map(each => ({ input: each, group: 'all' })),
      [],
      options,
    );
    const state = { ...model.values, ...zeroMoments(program) };

    it('has the logits and the predictions of transformers', async () => {
      const { feeds, objective, values, golden, architecture } = model;
      const { logits, predictions } = await runOnce(
        engine,
        {
          feeds: objective.feeds.filter(
            each => inputName(each) !== 'targets' && inputName(each) !== 'weights',
          ),
          frozen: [...model.inputs.values()],
          state: [],
          outputs: {
            logits: objective.logits,
            ...(objective.predictions && { predictions: objective.predictions }),
          },
        },
        Object.fromEntries(
          Object.entries(feeds).filter(([each]) => each !== 'targets' && each !== 'weights'),
        ),
        values,
      );
      const scores = golden.get('out.logits')!;
      // Padding of a text is never read; a mask hides it here and there in ways of their own.
      const mask = feeds['attention_mask']!;
      const outputs = scores.shape.at(-1)!;
      const isOfTokens = architecture.objective === 'token-classification';
      const isRead = (index: number): boolean =>
        !isOfTokens || mask[Math.floor(index / outputs)] === 1;
      const read = (values: ArrayLike<number>): number[] =>
        Array.from(values).filter((_, index) => isRead(index));
      assertClose(read(logits!), read(scores.data), 1e-4, 'logits');
      switch (architecture.problem) {
        case 'regression':
          assert.equal(predictions, undefined);
          break;
        case 'multi_label_classification':
          assert.deepEqual(
            [...predictions!],
            Array.from(scores.data, score => Number(score > 0)),
          );
          break;
        default:
          for (const [row, best] of Array.from(predictions!).entries()) {
            if (!isRead(row * outputs)) continue;
            const ofRow = scores.data.subarray(row * outputs, (row + 1) * outputs);
            assert.equal(ofRow[best], Math.max(...ofRow));
          }
      }
    });

    it("has the loss and every gradient of transformers' own backward pass", async () => {
      const { outputs, after: trained } = await withExecutable(
        engine,
        program,
        async executable => {
          executable.load(state);
          const step = optimizerFeeds(groups, options, 1, 1);
          return {
            outputs: await executable.run({ ...model.feeds, ...step }),
            after: await executable.readState(),
          };
        },
      );
      assertClose(outputs['loss']!, [expected.loss], 1e-5, 'loss');
      const reference = new Map(
        [...model.golden]
          .filter(([tensor]) => tensor.startsWith('grad.'))
          .map(([tensor, { data }]) => [tensor.slice('grad.'.length), data]),
      );
      const tensors = new Set(model.used.map(({ stored }) => stored.tensor));
      assert.deepEqual([...tensors].sort(), [...reference.keys()].sort());
      const whole = Math.hypot(...[...reference.values()].map(norm));
      for (const tensor of tensors) {
        const blocks = model.used.filter(({ stored }) => stored.tensor === tensor);
        const gradient = assembleTensor(
          blocks,
          blocks.map(({ id }) =>
            (trained[`adam.m.${id}`] as Float32Array).map(value => value / (1 - options.betas[0])),
          ),
        );
        // A key bias has no gradient but rounding: see the goldens of language models.
        const zero = /key\.bias$/.test(tensor);
        const error = relativeError(gradient, reference.get(tensor)!, zero ? 1e-3 * whole : 0);
        assert.ok(error < 1e-4, `${tensor}: relative error ${error}`);
      }
      assertClose(outputs['gradientNorm']!, [whole], 1e-4 * whole, 'gradient norm');
    });

    it('has its losses after each of five AdamW updates', async () => {
      const losses: number[] = [];
      await withExecutable(engine, program, async executable => {
        executable.load(state);
        for (let update = 1; update <= expected.adamw_losses.length; update++) {
          const step = optimizerFeeds(groups, options, update, 1);
          losses.push((await executable.run({ ...model.feeds, ...step }))['loss']![0]!);
        }
      });
      assert.equal(losses.length, 6);
      assertClose(losses, expected.adamw_losses, 1e-4, 'losses');
    });
  });
}
