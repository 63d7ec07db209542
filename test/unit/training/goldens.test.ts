import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assembleTensor, recognizeArchitecture } from '../../../src/architecture';
import { openCheckpoint } from '../../../src/checkpoint/checkpoint';
import type { NamedData } from '../../../src/engine';
import { inputName, type Program } from '../../../src/graph';
import {
  evaluationProgram,
  optimizerFeeds,
  trainingProgram,
  type AdamWOptions,
} from '../../../src/training';
import { assertClose, relativeError } from '../../support/close';
import { testEngine } from '../../support/engines';
import { fixture, fixtureJson } from '../../support/fixtures';
import { goldenObjective, type GoldenObjective } from '../../support/goldenObjective';
import { runOnce, withExecutable, zeroMoments } from '../../support/programs';
import {
  fixtureNames,
  readConfig,
  readFixture,
  readGolden,
  type FamilyName,
  type Fixture,
} from '../architecture/fixtures';
import type { FixtureTensor } from '../../support/safetensors';

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

const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

function training(family: FamilyName) {
  const { adamw } = fixtureJson<Golden>(`hf/${family}/golden.json`);
  const golden = goldenObjective(family, readFixture(family));
  const options: AdamWOptions = { betas: adamw.betas, epsilon: adamw.eps, clipNorm: undefined };
  const trained = golden.parameters
    .filter(({ parameter }) => parameter.used)
    .map(({ input }) => ({ input, group: 'all' }));
  const groups = [{ name: 'all', learningRate: adamw.lr, weightDecay: adamw.weight_decay }];
  const program = trainingProgram(golden.objective, trained, [], options);
  return { ...golden, program, options, groups };
}

/** What an executable of the program keeps and what every run of it is fed. */
function valuesFor(program: Program, { objective, values }: GoldenObjective) {
  const named = (names: readonly string[]): NamedData =>
    Object.fromEntries(names.map(name => [name, values[name]!]));
  const kept = program.state.map(({ input }) => inputName(input));
  return {
    state: { ...named(kept.filter(name => name in values)), ...zeroMoments(program) },
    feeds: named(objective.feeds.map(inputName)),
  };
}

/** Gradients by stored tensor: the first moment after one update from zero is (1 − β₁) · gradient. */
function gradientsOf(state: NamedData, { parameters, options }: ReturnType<typeof training>) {
  const byTensor = new Map<string, typeof parameters>();
  for (const entry of parameters.filter(({ parameter }) => parameter.used)) {
    const { tensor } = entry.parameter.stored;
    byTensor.set(tensor, [...(byTensor.get(tensor) ?? []), entry]);
  }
  const gradient = (name: string): Float32Array =>
    (state[`adam.m.${name}`] as Float32Array).map(value => value / (1 - options.betas[0]));
  return new Map(
    [...byTensor].map(([tensor, entries]) => [
      tensor,
      assembleTensor(
        // What is added to all values has no part in gradients.
        entries.map(({ parameter: { stored, ...rest } }) => ({
          ...rest,
          stored: { ...stored, plus: 0 },
        })),
        entries.map(({ input }) => gradient(inputName(input))),
      ),
    ]),
  );
}

/** What files call a parameter that the model of transformers 5 has under another name. */
function savedName(family: FamilyName, name: string): string {
  if (family === 'gpt_neox') return name.replace(/^lm_head\./, 'embed_out.');
  if (family !== 'dinov2') return name;
  const kinds = { q: 'query', k: 'key', v: 'value' };
  return name
    .replace('attention.o_proj', 'attention.output.dense')
    .replace(
      /attention\.([qkv])_proj/,
      (_match, kind: keyof typeof kinds) => `attention.attention.${kinds[kind]}`,
    );
}

for (const family of fixtureNames) {
  describe(`${family} in training`, () => {
    const golden = fixtureJson<Golden>(`hf/${family}/golden.json`);

    it("has the loss and every gradient of transformers' own backward pass", async () => {
      const built = training(family);
      const { state, feeds } = valuesFor(built.program, built);
      const { outputs, after } = await withExecutable(engine, built.program, async executable => {
        executable.load(state);
        const step = optimizerFeeds(built.groups, built.options, 1, 1);
        return {
          outputs: await executable.run({ ...feeds, ...step }),
          after: await executable.readState(),
        };
      });
      assertClose(outputs['loss']!, [golden.loss], 1e-5, 'loss');

      const gradients = gradientsOf(after, built);
      const expected = new Map(
        [...readGolden(family)]
          .filter(([name]) => name.startsWith('grad.'))
          .map(([name, { data }]) => [savedName(family, name.slice('grad.'.length)), data]),
      );
      assert.deepEqual([...gradients.keys()].sort(), [...expected.keys()].sort());
      const whole = Math.hypot(...[...expected.values()].map(norm));
      // Softmax does not change when one number is added to all scores of a query, which is all a
      // bias of keys or of mixed scores does: its true gradient is zero, and both sides hold rounding of the sums it is made of.
      // 1e-4 of this floor (1e-7 of the whole gradient) is what float32 rounds away.
      const floor = 1e-3 * whole;
      for (const [tensor, gradient] of gradients) {
        const reference = expected.get(tensor)!;
        const zero = /(key|k_lin|decoder\..*k_proj|attn\.k|proj_l)\.bias$/.test(tensor);
        assert.equal(norm(reference) < 1e-6 * whole, zero, `${tensor}: zero only where it must be`);
        const error = relativeError(gradient, reference, zero ? floor : 0);
        assert.ok(error < 1e-4, `${tensor}: relative error ${error}`);
      }
      assertClose(outputs['gradientNorm']!, [whole], 1e-4 * whole, 'gradient norm');
    });

    it('has its losses after each of five AdamW updates', async () => {
      const built = training(family);
      const { state, feeds } = valuesFor(built.program, built);
      const losses: number[] = [];
      await withExecutable(engine, built.program, async executable => {
        executable.load(state);
        for (let update = 1; update <= golden.adamw_losses.length; update++) {
          const step = optimizerFeeds(built.groups, built.options, update, 1);
          losses.push((await executable.run({ ...feeds, ...step }))['loss']![0]!);
        }
      });
      assert.equal(losses.length, 6);
      assertClose(losses, golden.adamw_losses, 1e-4, 'losses');
    });
  });
}

/** A checkpoint as it is read for a run, in whatever element type and number of files. */
async function readStored(name: string): Promise<Fixture> {
  const file = await openCheckpoint(fixture(`hf/${name}`));
  try {
    const config = fixtureJson<Record<string, unknown>>(`hf/${name}/config.json`);
    const tensors = new Map<string, FixtureTensor>();
    for (const [tensor, { shape }] of file.tensors) {
      tensors.set(tensor, { shape, data: await file.readFloat32(tensor) });
    }
    return { config, tensors, recognition: recognizeArchitecture(config, tensors) };
  } finally {
    await file.close();
  }
}

async function lossOf(checkpoint: Fixture): Promise<number> {
  const golden = goldenObjective('bert', checkpoint);
  const inputs = golden.parameters.map(({ input }) => input);
  const program = evaluationProgram(golden.objective, inputs);
  const named = (names: readonly string[]): NamedData =>
    Object.fromEntries(names.map(name => [name, golden.values[name]!]));
  const { loss } = await runOnce(
    engine,
    program,
    named(golden.objective.feeds.map(inputName)),
    named(inputs.map(inputName)),
  );
  return loss![0]!;
}

/** To the nearest number of `bits` significant bits, ties to even; spaced no closer than `finest`. */
const roundTo = (bits: number, finest: number) => (value: number) => {
  if (value === 0) return value;
  const spacing = Math.max(2 ** (Math.floor(Math.log2(Math.abs(value))) + 1 - bits), finest);
  const scaled = value / spacing;
  const below = Math.floor(scaled);
  const up = scaled - below > 0.5 || (scaled - below === 0.5 && below % 2 !== 0);
  return (up ? below + 1 : below) * spacing;
};

describe('a checkpoint stored otherwise', () => {
  const rounded = (round: (value: number) => number): Fixture => {
    const plain = readFixture('bert');
    const tensors = new Map(
      [...plain.tensors].map(([name, { shape, data }]) => [
        name,
        { shape, data: (data as Float32Array).map(round) },
      ]),
    );
    return { ...plain, tensors, recognition: recognizeArchitecture(readConfig('bert'), tensors) };
  };

  for (const { name, round } of [
    { name: 'bert-float16', round: roundTo(11, 2 ** -24) },
    { name: 'bert-bfloat16', round: roundTo(8, 2 ** -133) },
    { name: 'bert-sharded', round: (value: number) => value },
  ]) {
    it(`${name} has the very loss of the float32 model that holds the same values`, async () => {
      const loss = await lossOf(await readStored(name));
      assert.equal(loss, await lossOf(rounded(round)));
      const { loss: exact } = fixtureJson<Golden>('hf/bert/golden.json');
      assertClose([loss], [exact], name === 'bert-sharded' ? 1e-5 : 2e-2, 'loss');
      if (name !== 'bert-sharded') assert.notEqual(loss, exact);
    });
  }
});
