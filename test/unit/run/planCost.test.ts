import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { growthMethod, type GrowthMethodName } from '../../../src/growth';
import { batchShape } from '../../../src/run/open/data';
import { costOfLayers, programCost } from '../../../src/run/plan/growthCost';
import { learningCost, learningProgram, requireGrowth } from '../../../src/run/plan/plan';
import {
  defaultTrainSettings,
  ligoDefaults,
  type LigoSettings,
  type TrainSettings,
} from '../../../src/run/settings';
import { countStages, prepareStages } from '../../../src/run/train/trainingStages';
import { example } from '../../support/fixtures';
import { withModel } from '../../support/opened';

const close = (actual: number, expected: number, what: string): void =>
  assert.ok(Math.abs(actual / expected - 1) < 0.005, `${what}: ${actual} for ${expected} bytes`);

/** The growth of an example to other sizes, and the shape of its small batches. */
const withGrowth = <T>(
  name: string,
  layers: number,
  width: number,
  use: (
    growth: ReturnType<typeof requireGrowth>,
    shape: ReturnType<typeof batchShape>,
  ) => T | Promise<T>,
): Promise<T> =>
  withModel(example(name), async model => {
    const { dimensions } = model.architecture;
    const target = {
      numHiddenLayers: layers,
      hiddenSize: width * dimensions.hiddenSize,
      numAttentionHeads: width * dimensions.numAttentionHeads,
      intermediateSize: width * dimensions.intermediateSize,
    };
    const growth = requireGrowth(model, { dimensions: target, refusals: [], notes: [] });
    return use(growth, batchShape(model.architecture, { batchSize: 4, sequenceLength: 32 }));
  });

const settingsOf = (name: GrowthMethodName, changes: Partial<LigoSettings> = {}): LigoSettings => ({
  ...{ warmup: 1, ...ligoDefaults(name), steps: 10 },
  ...changes,
});

describe('the cost of a deep growth', () => {
  const cases: readonly (readonly [string, LigoSettings])[] = [
    ['gpt2-kjv', settingsOf('ligo')],
    ['bert-kjv', settingsOf('ligo', { recompute: true })],
    ['vit-fmnist', settingsOf('mango')],
    ['gpt2-kjv', settingsOf('ligo', { mapping: 'shared-ffn', accumulate: 2 })],
  ];
  for (const [name, settings] of cases) {
    const of = JSON.stringify({ mapping: settings.mapping, recompute: settings.recompute });
    it(`is that of its whole program: ${name} ${of}`, () =>
      withGrowth(name, 40, 2, (growth, shape) => {
        const counted = learningCost(growth, settings, shape);
        const built = programCost(learningProgram(growth, settings, shape).program);
        assert.deepEqual(counted.flops, built.flops);
        close(counted.peakBytes, built.peakBytes, name);
      }));
  }

  it('is that of the program itself where it is shallow', () =>
    withGrowth('gpt2-kjv', 20, 2, (growth, shape) => {
      const settings = settingsOf('ligo');
      const built = programCost(learningProgram(growth, settings, shape).program);
      const { scoredBytes, ...counted } = learningCost(growth, settings, shape);
      assert.deepEqual(counted, built);
      assert.ok(scoredBytes > built.frozenBytes + built.stateBytes);
    }));

  it('is found without building its layers, however many there are', () =>
    withGrowth('gpt2-kjv', 1024, 2, ({ source, target }, shape) => {
      const depths: number[] = [];
      costOfLayers([target.dimensions.numHiddenLayers], ([numHiddenLayers]) => {
        depths.push(numHiddenLayers!);
        const shallow = source.resized({ ...target.dimensions, numHiddenLayers: numHiddenLayers! });
        return learningProgram({ source, target: shallow }, settingsOf('ligo'), shape).program;
      });
      assert.deepEqual(depths, [8, 16]);
    }));
});

describe('the cost of training a deep model', () => {
  const settings: TrainSettings = { ...defaultTrainSettings, steps: 10, warmup: 1 };

  for (const name of ['random', 'mslt', 'llama-pro'] as const) {
    it(`is that of its stages' programs: ${name}`, () =>
      withGrowth('gpt2-kjv', 21, 1, ({ target: source }, shape) => {
        const target = source.resized({ ...source.dimensions, numHiddenLayers: 40 });
        const stages = growthMethod(name).stages?.({ source, target });
        const counted = countStages(target, settings, shape, stages);
        const made = prepareStages(target, settings, shape, stages);
        assert.equal(counted.length, made.length);
        counted.forEach((stage, index) => {
          assert.equal(stage.flopsPerStep, made[index]!.flopsPerStep, `stage ${index}`);
          close(stage.peakBytes, made[index]!.peakBytes, `stage ${index}`);
        });
      }));
  }
});
