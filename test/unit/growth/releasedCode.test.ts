import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { recognizeArchitecture, plainWeights, type ModelConfig } from '../../../src/architecture';
import { openCheckpoint } from '../../../src/checkpoint/checkpoint';
import * as g from '../../../src/graph';
import {
  fromReleasedNames,
  growParameter,
  grownWeights,
  operatorsOf,
  smallInputName,
  sourcesOf,
  type Growth,
  type OperatorValues,
  type SmallValues,
} from '../../../src/growth';
import { extractParameter } from '../../../src/architecture';
import { batchFeeds, objectiveGraph, optimizerFeeds, trainingProgram } from '../../../src/training';
import { assertClose, relativeError } from '../../support/close';
import { testEngine } from '../../support/engines';
import { fixture, fixtureJson, fixtureTensors } from '../../support/fixtures';

interface Golden {
  readonly small: ModelConfig;
  readonly large: ModelConfig;
  readonly losses: readonly number[];
}

const golden = fixtureJson<Golden>('ligo-official/golden.json');
const engine = await testEngine({ threads: 2 });
const optimizer = { betas: [0.9, 0.999], epsilon: 1e-6, clipNorm: undefined } as const;
const groups = [
  { name: 'width', learningRate: 1e-3, weightDecay: 0 },
  { name: 'depth', learningRate: 1e-3, weightDecay: 0 },
];

let growth: Growth;
let operators: OperatorValues;
let operatorGradients: OperatorValues;
let small: SmallValues;
let batch: Record<string, Float32Array | Int32Array>;

before(async () => {
  const file = await openCheckpoint(fixture('ligo-official/small.safetensors'));
  const { architecture: source, names } = recognizeArchitecture(golden.small, file.tensors);
  const target = source.resized({
    numHiddenLayers: Number(golden.large['num_hidden_layers']),
    hiddenSize: Number(golden.large['hidden_size']),
    numAttentionHeads: Number(golden.large['num_attention_heads']),
    intermediateSize: Number(golden.large['intermediate_size']),
  });
  growth = { source, target };
  operators = fromReleasedNames(
    growth,
    await fixtureTensors('ligo-official/operators.safetensors'),
  );
  operatorGradients = fromReleasedNames(
    growth,
    await fixtureTensors('ligo-official/operator_gradients.safetensors'),
  );
  const stored = async (name: string) => file.readFloat32(names.get(name)!);
  const values: Record<string, Float32Array> = {};
  for (const parameter of target.parameters) {
    const parts: number[] = [];
    for (const part of sourcesOf(growth, parameter)) {
      parts.push(...extractParameter(part, await stored(part.stored.tensor)));
    }
    values[smallInputName(parameter)] = Float32Array.from(parts);
  }
  small = values;
  await file.close();
  const { input_ids: ids, labels } = await fixtureTensors('ligo-official/batch.safetensors');
  const positions = [...labels!.keys()].filter(index => labels![index]! >= 0);
  batch = {
    input_ids: Int32Array.from(ids!),
    positions: Int32Array.from(positions),
    targets: Int32Array.from(positions, index => labels![index]!),
    weights: new Float32Array(positions.length).fill(1 / positions.length),
  };
});

/** The loss of the grown model over the golden batch, factored or with every matrix built. */
function grownObjective(form: 'factored' | 'plain') {
  const weights = grownWeights(growth);
  const objective = objectiveGraph(
    growth.target,
    form === 'factored' ? weights : plainWeights(id => existing(id, weights.tensor)),
    batchFeeds(growth.target, {
      batchSize: 4,
      sequenceLength: 16,
      targets: batch['positions']!.length,
    }),
  );
  return { weights, objective };
}

const existing = (id: string, tensor: (id: string) => g.Tensor): g.Tensor | undefined =>
  growth.target.parameters.some(parameter => parameter.id === id) ? tensor(id) : undefined;

describe('against the released LiGO code (float64, tiny BERT)', () => {
  it('has the operators the released code learns, and no other', () => {
    const names = operatorsOf(growth).map(({ name }) => name);
    assert.deepEqual(new Set(names), new Set(Object.keys(operators)));
    assert.equal(names.length, 5 * 4 + 2 + 16);
  });

  it('grows every weight to within 1e-6', async () => {
    const expected = await fixtureTensors('ligo-official/grown.safetensors');
    let compared = 0;
    for (const parameter of growth.target.parameters) {
      const target = expected[parameter.stored.tensor];
      if (!target) continue;
      const { program, feeds } = growParameter(growth, parameter);
      const executable = await engine.compile(program);
      const { grown } = await executable.run(feeds(operators, small));
      await executable.dispose();
      assertClose(grown!, target, 1e-6, parameter.id);
      compared++;
    }
    assert.equal(compared, Object.keys(expected).length);
  });

  for (const form of ['factored', 'plain'] as const) {
    it(`has its loss and operator gradients (${form} form)`, async () => {
      const { weights, objective } = grownObjective(form);
      const names = [...weights.operators.keys()];
      const gradients = g.gradients(
        objective.loss,
        names.map(name => weights.operators.get(name)!),
      );
      const executable = await engine.compile(
        g.simplifyProgram({
          feeds: objective.feeds,
          frozen: [...weights.small.values(), ...weights.operators.values()],
          state: [],
          outputs: {
            loss: objective.loss,
            ...Object.fromEntries(names.map((name, i) => [name, gradients[i]!])),
          },
        }),
      );
      executable.load({ ...onlyRead(weights.small), ...operators });
      const { loss, ...found } = await executable.run(batch);
      await executable.dispose();
      assertClose(loss!, [golden.losses[0]!], 1e-5, 'loss');
      const largest = Math.max(...names.map(name => norm(operatorGradients[name]!)));
      for (const name of names) {
        const error = relativeError(found[name]!, operatorGradients[name]!, 1e-4 * largest);
        assert.ok(error < 1e-5, `${name}: relative error ${error}`);
      }
    });
  }

  it('has its losses after each of five AdamW steps', async () => {
    const { weights, objective } = grownObjective('factored');
    const parameters = [...weights.operators].map(([name, input]) => ({
      input,
      group: name.startsWith('width') ? 'width' : 'depth',
    }));
    const frozen = [...weights.small.values()];
    const program = trainingProgram(objective, parameters, frozen, optimizer);
    const executable = await engine.compile(program);
    executable.load({ ...onlyRead(weights.small), ...operators });
    executable.load(
      Object.fromEntries(
        program.state
          .map(({ input }) => input)
          .filter(input => g.inputName(input).startsWith('adam.'))
          .map(input => [g.inputName(input), new Float32Array(g.elementCount(input.shape))]),
      ),
    );
    const losses: number[] = [];
    for (let step = 0; step <= 5; step++) {
      const { loss } = await executable.run({
        ...batch,
        ...optimizerFeeds(groups, optimizer, step + 1, 1),
      });
      losses.push(loss![0]!);
    }
    await executable.dispose();
    assertClose(losses, golden.losses, 1e-5, 'losses');
  });
});

const onlyRead = (inputs: ReadonlyMap<string, g.Tensor>): SmallValues =>
  Object.fromEntries([...inputs.keys()].map(name => [name, small[name]!]));

const norm = (values: Float32Array): number => Math.hypot(...values);
