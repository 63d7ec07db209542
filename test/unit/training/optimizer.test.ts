import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { onnxRuntimeCpu } from '../../../src/engine';
import * as g from '../../../src/graph';
import { optimizerFeeds, trainingProgram, type AdamWOptions } from '../../../src/training';
import { assertClose } from '../../support/close';
import { withExecutable, zeroMoments } from '../../support/programs';
import { uniform } from '../../support/random';

const engine = onnxRuntimeCpu({ threads: 1 });

const groups = [
  { name: 'fast', learningRate: 0.05, weightDecay: 0.1 },
  { name: 'slow', learningRate: 0.002, weightDecay: 0 },
];
const groupOf: Readonly<Record<string, string>> = { a: 'fast', b: 'slow' };
const scales = [0.5, 1, 1, 0.75, 0.5, 0.25];
const factorsOf = (step: number): Float32Array => uniform(step + 50, 3, -2, 2);
const started = { a: Float32Array.of(1, -2, 0.5), b: Float32Array.of(0.3, -0.7) };

/** Loss Σ factors · a² + Σ b³, whose gradients are 2 · factors · a and 3 · b². */
function program(options: AdamWOptions): g.Program {
  const [a, b] = [g.input('a', [3]), g.input('b', [2])];
  const factors = g.input('factors', [3]);
  const loss = g.add(g.reduceSum(g.mul(factors, g.mul(a, a))), g.reduceSum(g.mul(g.mul(b, b), b)));
  const objective = { feeds: [factors], loss, predictions: loss, logits: loss };
  const parameters = [a, b].map(input => ({ input, group: groupOf[g.inputName(input)]! }));
  return trainingProgram(objective, parameters, [], options);
}

interface Moments {
  readonly w: Float64Array;
  readonly m: Float64Array;
  readonly v: Float64Array;
}

/** AdamW as the paper and torch.optim.AdamW write it, in float64. */
function byHand({ betas: [beta1, beta2], epsilon, clipNorm }: AdamWOptions) {
  const state: Record<string, Moments> = Object.fromEntries(
    Object.entries(started).map(([name, w]) => [
      name,
      {
        w: Float64Array.from(w),
        m: new Float64Array(w.length),
        v: new Float64Array(w.length),
      },
    ]),
  );
  const norms: number[] = [];
  const losses: number[] = [];
  scales.forEach((scale, step) => {
    const factors = factorsOf(step);
    const [a, b] = [state['a']!.w, state['b']!.w];
    losses.push(
      a.reduce((sum, value, i) => sum + factors[i]! * value ** 2, 0) +
        b.reduce((sum, value) => sum + value ** 3, 0),
    );
    const gradients: Record<string, Float64Array> = {
      a: a.map((value, i) => 2 * factors[i]! * value),
      b: b.map(value => 3 * value ** 2),
    };
    const norm = Math.hypot(...gradients['a']!, ...gradients['b']!);
    norms.push(norm);
    const clip = clipNorm === undefined ? 1 : Math.min(1, clipNorm / (norm + 1e-6));
    for (const [name, { w, m, v }] of Object.entries(state)) {
      const { learningRate, weightDecay } = groups.find(entry => entry.name === groupOf[name])!;
      const rate = learningRate * scale;
      gradients[name]!.forEach((raw, i) => {
        const gradient = raw * clip;
        m[i] = beta1 * m[i]! + (1 - beta1) * gradient;
        v[i] = beta2 * v[i]! + (1 - beta2) * gradient ** 2;
        const correctedM = m[i]! / (1 - beta1 ** (step + 1));
        const correctedV = v[i]! / (1 - beta2 ** (step + 1));
        w[i] = w[i]! * (1 - rate * weightDecay);
        w[i] = w[i]! - (rate * correctedM) / (Math.sqrt(correctedV) + epsilon);
      });
    }
  });
  return { state, norms, losses };
}

describe('AdamW', () => {
  for (const [name, clipNorm] of [
    ['without clipping', undefined],
    ['with clipping that always acts', 0.5],
    ['with clipping that sometimes acts', 4],
    ['with clipping that never acts', 1e6],
  ] as const) {
    it(`does what float64 by hand does over six updates of two groups, ${name}`, async () => {
      const options: AdamWOptions = { betas: [0.9, 0.98], epsilon: 1e-6, clipNorm };
      const expected = byHand(options);
      const clipped = expected.norms.filter(norm => norm > (clipNorm ?? Infinity)).length;
      assert.equal(clipped, { 0.5: 6, 4: clipped, 1e6: 0 }[clipNorm ?? 1e6]);
      if (clipNorm === 4) assert.ok(clipped > 0 && clipped < 6);
      const built = program(options);
      await withExecutable(engine, built, async executable => {
        executable.load({ ...started, ...zeroMoments(built) });
        for (const [step, scale] of scales.entries()) {
          const { loss, gradientNorm } = await executable.run({
            factors: factorsOf(step),
            ...optimizerFeeds(groups, options, step + 1, scale),
          });
          assertClose(loss!, [expected.losses[step]!], 1e-5, `loss ${step}`);
          assertClose(gradientNorm!, [expected.norms[step]!], 1e-5, `norm ${step}`);
        }
        const state = await executable.readState();
        for (const [parameter, { w, m, v }] of Object.entries(expected.state)) {
          assertClose(state[parameter]!, w, 1e-6, parameter);
          assertClose(state[`adam.m.${parameter}`]!, m, 1e-6, `first moment of ${parameter}`);
          assertClose(state[`adam.v.${parameter}`]!, v, 1e-5, `second moment of ${parameter}`);
        }
      });
    });
  }

  it('keeps two moments a parameter, by the names stopped runs have on disk, and nothing else', () => {
    const { state } = program({ betas: [0.9, 0.999], epsilon: 1e-6, clipNorm: 1 });
    assert.deepEqual(
      new Set(state.map(({ input }) => g.inputName(input))),
      new Set(['a', 'b', 'adam.m.a', 'adam.v.a', 'adam.m.b', 'adam.v.b']),
    );
  });

  it('leaves parameters alone at a rate of zero', async () => {
    const options: AdamWOptions = { betas: [0.9, 0.98], epsilon: 1e-6, clipNorm: undefined };
    const built = program(options);
    await withExecutable(engine, built, async executable => {
      executable.load({ ...started, ...zeroMoments(built) });
      await executable.run({ factors: factorsOf(0), ...optimizerFeeds(groups, options, 1, 0) });
      const { a, b } = await executable.readState();
      assert.deepEqual({ a, b }, started);
    });
  });

  it('stops a gradient of no finite norm from being called finite', async () => {
    const options: AdamWOptions = { betas: [0.9, 0.98], epsilon: 1e-6, clipNorm: 1 };
    const built = program(options);
    await withExecutable(engine, built, async executable => {
      executable.load({ ...started, ...zeroMoments(built) });
      const { gradientNorm } = await executable.run({
        factors: Float32Array.of(NaN, 1, 1),
        ...optimizerFeeds(groups, options, 1, 1),
      });
      assert.ok(Number.isNaN(gradientNorm![0]));
    });
  });
});
