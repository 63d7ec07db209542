import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { onnxRuntimeCpu } from '../../../src/engine';
import { inPlaceState } from '../../../src/engine/inPlace';
import * as g from '../../../src/graph';
import { adamW } from '../../../src/training';
import { assertClose } from '../../support/close';
import { withExecutable } from '../../support/programs';
import { randomGraph } from '../graph/randomGraph';

const [a, b, x] = ['a', 'b', 'x'].map(name => g.input(name, [4])) as [g.Tensor, g.Tensor, g.Tensor];

/** Names of the state that may be overwritten where it lies. */
function inPlace(next: readonly [g.Tensor, g.Tensor][], outputs: g.Program['outputs'] = {}) {
  const state = next.map(([input, value]) => ({ input, next: value }));
  const program: g.Program = { feeds: [x], frozen: [], state, outputs };
  return [...inPlaceState(program)].map(g.inputName).sort();
}

describe('inPlaceState', () => {
  it('allows an accumulator', () => {
    assert.deepEqual(inPlace([[a, g.add(g.mul(a, 0.9), x)]]), ['a']);
  });

  it('allows state whose every reader the update waits for', () => {
    const gradient = g.mul(g.tanh(a), x);
    const norm = g.reduceSum(g.mul(gradient, gradient));
    assert.deepEqual(inPlace([[a, g.sub(a, g.div(gradient, norm))]], { norm }), ['a']);
  });

  it('allows AdamW with clipping to update everything, and its moments without', () => {
    const loss = g.reduceSum(g.tanh(g.add(g.tanh(a), g.tanh(b))));
    const names = (clipNorm: number | undefined): string[] => {
      const parameters = [a, b].map(input => ({ input, group: 'all' }));
      const { state } = adamW(loss, parameters, { betas: [0.9, 0.99], epsilon: 1e-6, clipNorm });
      return inPlace(state.map(({ input, next }) => [input, next]));
    };
    assert.deepEqual(names(1), ['a', 'adam.m.a', 'adam.m.b', 'adam.v.a', 'adam.v.b', 'b']);
    assert.deepEqual(
      names(undefined).filter(name => name.startsWith('adam.')),
      ['adam.m.a', 'adam.m.b', 'adam.v.a', 'adam.v.b'],
    );
  });

  it('refuses a swap', () => {
    assert.deepEqual(
      inPlace([
        [a, b],
        [b, a],
      ]),
      [],
    );
  });

  it("refuses two updates that read each other's old value", () => {
    assert.deepEqual(
      inPlace([
        [a, g.add(a, b)],
        [b, g.mul(b, a)],
      ]),
      [],
    );
  });

  it('allows only the last of a row of updates that each read the next one', () => {
    // b is read by both updates, and only its own comes after the other.
    const nextA = g.add(a, b);
    assert.deepEqual(
      inPlace([
        [a, nextA],
        [b, g.mul(b, nextA)],
      ]),
      ['a', 'b'],
    );
    assert.deepEqual(
      inPlace([
        [a, nextA],
        [b, g.mul(b, x)],
      ]),
      ['a'],
    );
  });

  it('refuses when an output still reads the old value', () => {
    assert.deepEqual(inPlace([[a, g.add(a, x)]], { seen: g.exp(a) }), []);
  });

  it('refuses when somebody still reads the old value under another shape', () => {
    const shown = g.reshape(a, [2, 2]);
    const next = g.add(a, g.reshape(g.tanh(shown), [4]));
    assert.deepEqual(inPlace([[a, next]]), ['a']);
    // A Reshape may show the very memory that the update writes to.
    assert.deepEqual(inPlace([[a, next]], { seen: g.exp(shown) }), []);
    assert.deepEqual(inPlace([[a, next]], { seen: g.exp(g.reshape(shown, [1, 4])) }), []);
    for (const view of [
      g.transpose(shown, [1, 0]),
      g.slice(a, 0, 0, 2),
      g.split(a, 0, [1, 3])[1]!,
    ]) {
      const update = g.add(a, g.reduceSum(view));
      assert.deepEqual(inPlace([[a, update]]), ['a']);
      assert.deepEqual(inPlace([[a, update]], { seen: g.exp(view) }), []);
    }
  });

  it('refuses what is given out: the old or the new value', () => {
    const next = g.add(a, x);
    assert.deepEqual(inPlace([[a, next]], { next }), []);
    assert.deepEqual(inPlace([[a, next]], { before: a }), []);
    assert.deepEqual(inPlace([[a, next]], { before: g.reshape(a, [2, 2]) }), []);
  });

  it('refuses an update that is not made element by element', () => {
    assert.deepEqual(inPlace([[a, g.softmax(a)]]), []);
    const matrix = g.input('matrix', [2, 2]);
    assert.deepEqual(inPlace([[matrix, g.gemm(matrix, matrix)]]), []);
  });
});

describe('state on ONNX Runtime, updated in place or not', () => {
  const engine = onnxRuntimeCpu({ threads: 1 });
  let updatedInPlace = 0;

  for (let group = 0; group < 4; group++) {
    it(`advances as the reference does, random programs ${10 * group} to ${10 * group + 9}`, async () => {
      for (let seed = 10 * group; seed < 10 * group + 10; seed++) {
        const { inputs, results, feeds } = randomGraph(400 + seed, 14);
        const [first, second, fed] = inputs as [g.Tensor, g.Tensor, g.Tensor];
        const [r, s, t] = results.map(result => g.mul(g.tanh(result), 0.5)) as [
          g.Tensor,
          g.Tensor,
          g.Tensor,
        ];
        const program = g.simplifyProgram({
          feeds: [fed],
          frozen: [],
          state: [
            { input: first, next: seed % 3 === 0 ? r : g.sub(r, g.mul(first, 0.5)) },
            { input: second, next: seed % 2 === 0 ? g.add(g.mul(second, 0.5), s) : s },
          ],
          outputs: { t, old: g.exp(g.reshape(g.tanh(seed % 5 === 0 ? first : r), [9])) },
        });
        updatedInPlace += inPlaceState(program).size;
        await withExecutable(engine, program, async executable => {
          executable.load({ a: feeds['a']!, b: feeds['b']! });
          let expected: Record<string, Float64Array> = {
            a: Float64Array.from(feeds['a']!),
            b: Float64Array.from(feeds['b']!),
          };
          for (let step = 0; step < 3; step++) {
            const computed = await executable.run({ c: feeds['c']! });
            const [nextA, nextB, seenT, seenOld] = g.evaluate(
              [
                program.state[0]!.next,
                program.state[1]!.next,
                program.outputs['t']!,
                program.outputs['old']!,
              ],
              { ...expected, c: feeds['c']! },
            );
            assertClose(computed['t']!, seenT!, 1e-4, `seed ${seed}, step ${step}, t`);
            assertClose(computed['old']!, seenOld!, 1e-4, `seed ${seed}, step ${step}, old`);
            const state = await executable.readState();
            assertClose(state['a']!, nextA!, 1e-4, `seed ${seed}, step ${step}, a`);
            assertClose(state['b']!, nextB!, 1e-4, `seed ${seed}, step ${step}, b`);
            // Both go on from the same numbers, so that rounding does not pile up.
            expected = {
              a: Float64Array.from(state['a']!),
              b: Float64Array.from(state['b']!),
            };
          }
        });
      }
    });
  }

  it('gives what the old value was to a reader of another shape that comes late', async () => {
    const shown = g.reshape(a, [2, 2]);
    const next = g.add(a, g.reshape(g.tanh(shown), [4]));
    const late = g.add(g.exp(g.mul(shown, g.reduceSum(next))), shown);
    const state = [{ input: a, next }];
    const program: g.Program = { feeds: [], frozen: [], state, outputs: { late } };
    const old = Float32Array.of(0, 0.1, 0.2, 0.3);
    await withExecutable(engine, program, async executable => {
      executable.load({ a: old });
      const outputs = await executable.run({});
      assertClose(outputs['late']!, g.evaluate([late], { a: old })[0]!, 1e-6);
    });
  });

  it('covered both ways', () => {
    assert.ok(updatedInPlace > 10, `${updatedInPlace} of 80 in place`);
    assert.ok(updatedInPlace < 70, `${updatedInPlace} of 80 in place`);
  });
});
