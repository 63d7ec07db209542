import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  depthInitializations,
  initializeOperators,
  initialOperators,
  widthInitializations,
  type DepthInitialization,
  type Operator,
  type OperatorValues,
  type WidthInitialization,
} from '../../../src/growth';
import { assertClose } from '../../support/close';
import { targets, tinyGrowth } from '../../support/tinyGrowth';

const [large, small, added, width] = [7, 3, 40, 24];
const operators: readonly Operator[] = [
  { name: 'depth.q.weight', group: 'depth', shape: [large, small] },
  { name: 'depth.k.weight', group: 'depth', shape: [large, small] },
  { name: 'width.residual', group: 'width', shape: [added, width], role: 'residual' },
  { name: 'width.ffn.0', group: 'width', shape: [added, width] },
];

function rows(values: Float32Array, length: number): number[][] {
  return Array.from({ length: values.length / length }, (_, row) =>
    Array.from(values.subarray(row * length, (row + 1) * length)),
  );
}
const start = (depth: DepthInitialization, width_: WidthInitialization, seed = 1) =>
  initializeOperators(operators, { depth, width: width_ }, seed);
const depthRows = (depth: DepthInitialization): number[][] =>
  rows(start(depth, 'rand')['depth.q.weight']!, small);
const widthRows = (initialization: WidthInitialization): number[][] =>
  rows(start('stackbert', initialization)['width.residual']!, width);
const sum = (row: readonly number[]): number => row.reduce((total, value) => total + value, 0);
const largestAt = (row: readonly number[]): number => row.indexOf(Math.max(...row));
const isOneHot = (row: readonly number[]): boolean =>
  row.filter(value => value === 1).length === 1 && row.filter(value => value !== 0).length === 1;

describe('depth operators', () => {
  it('have rows that sum to one, however they start', () => {
    for (const depth of depthInitializations) {
      for (const row of depthRows(depth)) assert.ok(Math.abs(sum(row) - 1) < 1e-6, depth);
    }
  });

  it('start stacked: layer i is small layer i mod L1', () => {
    depthRows('stackbert').forEach((row, layer) => {
      assert.ok(isOneHot(row));
      assert.equal(largestAt(row), layer % small);
    });
  });

  it('start interlaced: layer i is small layer ⌊i · L1 / L2⌋', () => {
    const chosen = depthRows('interlace').map(row => (assert.ok(isOneHot(row)), largestAt(row)));
    assert.deepEqual(chosen, [0, 0, 0, 1, 1, 2, 2]);
  });

  it('start noisy within the noise of the released code', () => {
    for (const [noisy, plain] of [
      ['stackbert_noisy', 'stackbert'],
      ['interlace_noisy', 'interlace'],
    ] as const) {
      const exact = depthRows(plain);
      depthRows(noisy).forEach((row, layer) => {
        const chosen = largestAt(exact[layer]!);
        assert.equal(largestAt(row), chosen);
        row.forEach((value, j) => {
          // Before division by the row's sum the chosen entry was 1 and the others below 0.03.
          const before = value / row[chosen]!;
          assert.ok(j === chosen || (before > 0 && before < 0.03), `${noisy} ${before}`);
        });
      });
    }
  });
});

describe('width operators', () => {
  it('start at random with rows that sum to one', () => {
    for (const row of widthRows('rand')) {
      assert.ok(Math.abs(sum(row) - 1) < 1e-5);
      assert.ok(row.every(value => value >= 0));
      assert.ok(new Set(row).size > width / 2);
    }
  });

  it('start by selecting: one-hot at units drawn over all of them', () => {
    const chosen = widthRows('sel').map(row => (assert.ok(isOneHot(row)), largestAt(row)));
    assert.ok(new Set(chosen).size > 10, `${new Set(chosen).size} different units`);
    assert.ok(Math.min(...chosen) < 6 && Math.max(...chosen) >= 18);
  });

  it('start by selecting with noise below 0.03', () => {
    for (const row of widthRows('sel_noisy')) {
      assert.equal(row.filter(value => value === 1).length, 1);
      assert.ok(row.every(value => value === 1 || (value >= 0 && value < 0.03)));
      assert.ok(row.filter(value => value > 0.005).length > 1);
    }
  });

  it('start silent when asked', () => {
    assert.ok(widthRows('zero').every(row => row.every(value => value === 0)));
  });
});

describe('the LayerNorm correction', () => {
  const ofNorm = (name: string, part: 'weight' | 'bias'): Operator => ({
    name: `depth.${name}.${part}`,
    group: 'depth',
    shape: [large, small],
    of: { module: 'norm', part, space: 'residual' },
  });
  const norms: readonly Operator[] = [
    ...operators,
    ...[ofNorm('ln1', 'weight'), ofNorm('ln2', 'weight'), ofNorm('ln1', 'bias')],
  ];
  const starting = { depth: 'stackbert_noisy', width: 'rand' } as const;
  const both = (given: readonly Operator[]) =>
    [false, true].map(correctNorms =>
      initializeOperators(given, starting, 1, { correctNorms }),
    ) as [OperatorValues, OperatorValues];

  it("scales the layers' LayerNorm weights by √(D1 / D2), and nothing else", () => {
    const [plain, corrected] = both(norms);
    for (const { name } of norms) {
      const scale = /ln[12]\.weight/.test(name) ? Math.sqrt(width / (width + added)) : 1;
      assertClose(
        corrected[name]!,
        plain[name]!.map(value => value * scale),
        1e-7,
        name,
      );
    }
  });

  it('gives norms outside the layers an operator of their own, in pre-norm models by default', () => {
    const correction = { ...starting, normCorrection: 'pre-norm' } as const;
    for (const model of ['gpt2', 'vit'] as const) {
      const wider = tinyGrowth(model, targets['in width']);
      const scale = Math.fround(Math.sqrt(8 / 12));
      const values = initialOperators(wider, correction, 1);
      assert.deepEqual(values['width.final.norm.weight'], Float32Array.of(scale));
      const names = Object.keys(initialOperators(wider, starting, 1));
      assert.ok(!names.includes('width.final.norm.weight'));
    }
    const postNorm = tinyGrowth('bert', targets['in width']);
    assert.deepEqual(
      initialOperators(postNorm, correction, 1),
      initialOperators(postNorm, starting, 1),
    );
    const all = initialOperators(postNorm, { ...starting, normCorrection: 'all' }, 1);
    assert.ok('width.embeddings.norm.weight' in all && 'width.head.norm.weight' in all);
  });

  it('leaves norms alone where new units copy old ones, or none are new', () => {
    const correction = { ...starting, normCorrection: 'all' } as const;
    const deeper = tinyGrowth('gpt2', targets['in depth']);
    assert.deepEqual(
      initialOperators(deeper, correction, 1),
      initialOperators(deeper, starting, 1),
    );
    const wider = tinyGrowth('gpt2', targets['in width']);
    const copied = { depth: 'stackbert', width: 'sel' } as const;
    assert.deepEqual(
      initialOperators(wider, { ...copied, normCorrection: 'all' }, 1),
      initialOperators(wider, copied, 1),
    );
  });

  it('changes nothing when the residual stream does not grow', () => {
    const [plain, corrected] = both(norms.filter(({ role }) => role !== 'residual'));
    assert.deepEqual(corrected, plain);
  });
});

describe('a seed', () => {
  const noisy = widthInitializations.filter(name => name !== 'zero');

  it('gives the same bytes every time', () => {
    for (const width_ of widthInitializations) {
      for (const depth of depthInitializations) {
        assert.deepEqual(start(depth, width_, 9), start(depth, width_, 9));
      }
    }
  });

  it('gives other values than another seed, and to each operator its own', () => {
    for (const width_ of noisy) {
      const [one, other] = [start('rand', width_, 1), start('rand', width_, 2)];
      for (const { name } of operators) assert.notDeepEqual(one[name], other[name], name);
      assert.notDeepEqual(one['width.residual'], one['width.ffn.0']);
      assert.notDeepEqual(one['depth.q.weight'], one['depth.k.weight']);
    }
  });
});
