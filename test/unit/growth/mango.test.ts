import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { logits, plainWeights, type Dimensions, type Parameter } from '../../../src/architecture';
import { CorruptFileError, UnsupportedError } from '../../../src/errors';
import { evaluate, gradients, simplify } from '../../../src/graph';
import {
  checkOperators,
  growParameter,
  growthMethod,
  grownWeights,
  initialOperators,
  learnedOperators,
  mappingOf,
  operatorsIn,
  operatorsOf,
  type Growth,
  type OperatorValues,
  type SmallValues,
} from '../../../src/growth';
import { objectiveGraph } from '../../../src/training';
import { assertClose, relativeError } from '../../support/close';
import { uniform } from '../../support/random';
import { isDecoder } from '../architecture/fixtures';
import {
  randomSmall,
  smallModels,
  tinyBatch,
  tinyGrowth,
  type SmallModel,
} from '../../support/tinyGrowth';

/** D1 = 8 in 2 layers; feed-forward matrices of two blocks, so 8 blocks in all. */
const small: Dimensions = {
  numHiddenLayers: 2,
  hiddenSize: 8,
  numAttentionHeads: 2,
  intermediateSize: 16,
};
const wide = { hiddenSize: 12, numAttentionHeads: 3, intermediateSize: 24 };
const targets = {
  'in width': { ...small, ...wide },
  'in depth': { ...small, numHiddenLayers: 5 },
  'in both': { ...small, ...wide, numHiddenLayers: 3 },
} as const satisfies Record<string, Dimensions>;

/** Models whose matrices mango can cut; decoders' are others. */
const squareModels = smallModels.filter(model => !isDecoder(model) && model !== 'timm-cait');

const mangoGrowth = (model: SmallModel, target: Dimensions = targets['in both']): Growth =>
  tinyGrowth(model, target, small);

/** Values for every operator, none of them special. */
const randomOperators = (growth: Growth, seed: number): Record<string, Float32Array> =>
  Object.fromEntries(
    learnedOperators(growth, 'mango').map(({ name, shape: [rows, columns] }, index) => [
      name,
      uniform(seed * 1000 + index, rows * columns, -0.6, 0.6),
    ]),
  );

/** A grown parameter in float64, by the program that writes checkpoints. */
function grow(growth: Growth, parameter: Parameter, operators: OperatorValues, from: SmallValues) {
  const { program, feeds } = growParameter(growth, parameter, operators);
  return evaluate([program.outputs['grown']!], feeds(operators, from))[0]!;
}

/** The operators of LiGO that Mango's stand for when S_B is the identity and S_I is S_O. */
function sharedOperators(growth: Growth, mango: OperatorValues): OperatorValues {
  const m = mango['width.out'] ?? new Float32Array(0);
  const values: Record<string, Float32Array> = {};
  for (const { name, shape } of operatorsOf(growth)) {
    if (/^width\.ffn/.test(name)) {
      // LiGO has all old units before the new ones, of which each block of 8 makes 4.
      const matrix = new Float32Array(shape[0] * shape[1]);
      for (let row = 0; row < shape[0]; row++) {
        const block = Math.floor(row / 4);
        matrix.set(m.subarray((row % 4) * 8, (row % 4) * 8 + 8), row * shape[1] + block * 8);
      }
      values[name] = matrix;
    } else if (name.startsWith('width.')) values[name] = mango[name] ?? m;
    else values[name] = mango[name] ?? mango['depth.layers']!;
  }
  return values;
}

/** Scores of one batch, by the graph that learning differentiates. */
function graphScores(growth: Growth, operators: OperatorValues, from: SmallValues): Float64Array {
  const weights = grownWeights(growth, operatorsIn(growth, operators));
  const { feeds, values } = tinyBatch(growth.target);
  const { readout } = growth.target.forward(weights, feeds.forward);
  return evaluate([logits(readout(feeds.positions))], { ...from, ...operators, ...values })[0]!;
}

/** Block b of the small layer's tensor, entry [o, i]; blocks as the paper lists them. */
function tensorEntry(from: SmallValues, layer: number, b: number, o: number, i: number): number {
  const square = (name: string) => from[`small.${name}.weight`]![layer * 64 + o * 8 + i]!;
  if (b < 4) return square(['q', 'k', 'v', 'o'][b]!);
  const half = (b - 4) % 2;
  if (b < 6) return from['small.fc1.weight']![layer * 128 + (half * 8 + o) * 8 + i]!;
  return from['small.fc2.weight']![layer * 128 + o * 16 + half * 8 + i]!;
}

/** What an index of a large axis means: of each block the 8 old units come first, then its 4 new ones. */
function unitOf(index: number, size: number): { block: number; unit: number } {
  const old = size === 24 ? 16 : 8;
  return index < old
    ? { block: Math.floor(index / 8), unit: index % 8 }
    : { block: Math.floor((index - old) / 4), unit: 8 + ((index - old) % 4) };
}

/** Entry [row, column] of [I; M] with M `[4, 8]`. */
const widened = (m: Float32Array, row: number, column: number): number =>
  row < 8 ? Number(row === column) : m[(row - 8) * 8 + column]!;

describe('the multi-linear operator', () => {
  it('makes every matrix of the whole tensor, as its sum says', () => {
    const growth = mangoGrowth('gpt2');
    const [operators, from] = [randomOperators(growth, 1), randomSmall(growth, 2)];
    const [blocks, layers] = [operators['width.blocks']!, operators['depth.layers']!];
    const entry = (b2: number, l2: number, o2: number, i2: number): number => {
      let sum = 0;
      for (let b = 0; b < 8; b++)
        for (let l = 0; l < 2; l++)
          for (let o = 0; o < 8; o++)
            for (let i = 0; i < 8; i++)
              sum +=
                blocks[b2 * 8 + b]! *
                layers[l2 * 2 + l]! *
                widened(operators['width.out']!, o2, o) *
                widened(operators['width.in']!, i2, i) *
                tensorEntry(from, l, b, o, i);
      return sum;
    };
    const firstBlock = { q: 0, k: 1, v: 2, o: 3, fc1: 4, fc2: 6 };
    for (const [kind, first] of Object.entries(firstBlock)) {
      const id = `layers.2.${kind}.weight`;
      const parameter = growth.target.parameters.find(candidate => candidate.id === id)!;
      const [rows, columns] = parameter.shape as [number, number];
      const expected = Float64Array.from({ length: rows * columns }, (_, index) => {
        const row = unitOf(Math.floor(index / columns), rows);
        const column = unitOf(index % columns, columns);
        return entry(first + row.block + column.block, 2, row.unit, column.unit);
      });
      assertClose(grow(growth, parameter, operators, from), expected, 1e-12, id);
    }
  });

  for (const model of squareModels) {
    for (const [how, target] of Object.entries(targets)) {
      it(`gives a ${model} that grows ${how} the scores of the weights it writes`, () => {
        const growth = mangoGrowth(model, target);
        const [operators, from] = [randomOperators(growth, 3), randomSmall(growth, 4)];
        const weights = grownWeights(growth, operatorsIn(growth, operators));
        const written = Object.fromEntries(
          growth.target.parameters.map(parameter => {
            const grown = grow(growth, parameter, operators, from);
            const tensor = weights.tensor(parameter.id);
            assert.deepEqual(tensor.shape, parameter.shape, parameter.id);
            const [seen] = evaluate([tensor], { ...operators, ...from });
            assertClose(grown, seen!, 1e-12, parameter.id);
            return [parameter.id, grown];
          }),
        );
        const { feeds, values } = tinyBatch(growth.target);
        const plain = plainWeights(id => (id in written ? weights.tensor(id) : undefined));
        const { readout } = growth.target.forward(plain, feeds.forward);
        const [expected] = evaluate([logits(readout(feeds.positions))], {
          ...from,
          ...operators,
          ...values,
        });
        assert.ok(relativeError(graphScores(growth, operators, from), expected!) < 1e-9);
      });

      it(`is LiGO with shared operators in a ${model} that grows ${how}, without mixing kinds`, () => {
        const growth = mangoGrowth(model, target);
        const from = randomSmall(growth, 5);
        const operators = randomOperators(growth, 6);
        const same = Float32Array.from({ length: 64 }, (_, at) => Number(at % 9 === 0));
        const unmixed = {
          ...operators,
          'width.blocks': same,
          ...(operators['width.out'] && { 'width.in': operators['width.out'] }),
        };
        const scores = graphScores(growth, unmixed, from);
        const shared = graphScores(growth, sharedOperators(growth, unmixed), from);
        assert.ok(relativeError(scores, shared) < 1e-9);
        assert.ok(relativeError(graphScores(growth, operators, from), shared) > 1e-3);
      });
    }

    it(`has the gradients of finite differences in a growing ${model}`, () => {
      const growth = mangoGrowth(model);
      const operators = randomOperators(growth, 7);
      const weights = grownWeights(growth, operatorsIn(growth, operators));
      const batch = tinyBatch(growth.target);
      const { loss } = objectiveGraph(growth.target, weights, batch.feeds);
      const names = [...weights.operators.keys()];
      const results = simplify([
        loss,
        ...gradients(
          loss,
          names.map(name => weights.operators.get(name)!),
        ),
      ]);
      const values = { ...randomSmall(growth, 8), ...operators, ...batch.values };
      const [, ...found] = evaluate(results, values);
      names.forEach((name, index) => {
        // Softmax ignores key biases, so their depth operator alone has no gradient.
        assert.equal(Math.hypot(...found[index]!) > 1e-6, name !== 'depth.k.bias', name);
        // One direction an operator: the slope along it is the sum of all partial derivatives.
        const direction = uniform(index, operators[name]!.length, -1, 1);
        const lossAt = (step: number): number => {
          const moved = Float64Array.from(operators[name]!, (value, at) => {
            return value + step * direction[at]!;
          });
          return evaluate([loss], { ...values, [name]: moved as unknown as Float32Array })[0]![0]!;
        };
        const slope = (lossAt(1e-4) - lossAt(-1e-4)) / 2e-4;
        const expected = direction.reduce((sum, part, at) => sum + part * found[index]![at]!, 0);
        const error = Math.abs(slope - expected);
        assert.ok(error < 1e-5 * Math.max(1, Math.abs(expected)), `${name}: ${slope} ${expected}`);
      });
    });
  }

  it('has an operator for each axis of the tensor, and LiGO’s for what lies outside it', () => {
    const growth = mangoGrowth('untied bert');
    const expected: Record<string, readonly number[]> = {
      'width.out': [4, 8],
      'width.in': [4, 8],
      'width.head': [4, 8],
      'width.blocks': [8, 8],
      'depth.layers': [3, 2],
    };
    for (const kind of ['ln1', 'ln2']) expected[`depth.${kind}.weight`] = [3, 2];
    for (const kind of ['q', 'k', 'v', 'o', 'fc1', 'fc2', 'ln1', 'ln2']) {
      expected[`depth.${kind}.bias`] = [3, 2];
    }
    const found = learnedOperators(growth, 'mango').map(({ name, shape }) => [name, shape]);
    assert.deepEqual(Object.fromEntries(found), expected);
    const deeper = learnedOperators(mangoGrowth('gpt2', targets['in depth']), 'mango');
    const width = deeper.filter(({ group }) => group === 'width').map(({ name }) => name);
    assert.deepEqual(width, ['width.blocks']);
  });
});

describe('the start of mango', () => {
  const start = { depth: 'stackbert_noisy', width: 'rand', normCorrection: 'pre-norm' } as const;

  it('has the scores of LiGO with shared operators, norms corrected alike', () => {
    for (const model of squareModels) {
      const growth = mangoGrowth(model);
      const values = initialOperators(growth, start, 9, 'mango');
      const ligo = initialOperators(growth, start, 9);
      const outer = Object.keys(ligo).filter(name => name.endsWith('norm.weight'));
      for (const name of outer) assert.deepEqual(values[name], ligo[name], name);
      assert.equal(
        outer.length > 0,
        model !== 'untied bert' && /gpt2|opt|vit|deit/.test(model),
        model,
      );
      const shared = {
        ...sharedOperators(growth, values),
        ...Object.fromEntries(outer.map(name => [name, ligo[name]!])),
      };
      const from = randomSmall(growth, 10);
      const error = relativeError(
        graphScores(growth, values, from),
        graphScores(growth, shared, from),
      );
      assert.ok(error < 1e-9, `${model}: ${error}`);
      const rowSum = values['depth.ln1.weight']![0]! + values['depth.ln1.weight']![1]!;
      const expected = outer.length > 0 ? Math.sqrt(8 / 12) : 1;
      assert.ok(Math.abs(rowSum - expected) < 1e-6, model);
    }
  });

  it('is the same for the same seed, and another for another', () => {
    const growth = mangoGrowth('bert');
    const first = initialOperators(growth, start, 1, 'mango');
    assert.deepEqual(initialOperators(growth, start, 1, 'mango'), first);
    const other = initialOperators(growth, start, 2, 'mango');
    assert.notDeepEqual(other['width.out'], first['width.out']);
    assert.notDeepEqual(other['depth.layers'], first['depth.layers']);
  });
});

describe('operators of mango', () => {
  it('are told from LiGO’s by their names', () => {
    const growth = mangoGrowth('bert');
    assert.equal(mappingOf(Object.keys(randomOperators(growth, 1))), 'mango');
    assert.equal(mappingOf(operatorsOf(growth).map(({ name }) => name)), 'ligo');
  });

  it('are checked before they are applied', () => {
    const growth = mangoGrowth('bert');
    const values = randomOperators(growth, 1);
    assert.deepEqual(checkOperators(growth, values), values);
    const without = Object.fromEntries(
      Object.entries(values).filter(([name]) => name !== 'depth.layers'),
    );
    assert.throws(() => checkOperators(growth, without), {
      name: CorruptFileError.name,
      message: /depth\.layers needs \[3, 2\] values/,
    });
  });
});

describe('growths that mango cannot make', () => {
  const refused = (target: Dimensions, from = small): readonly string[] => {
    const growth = tinyGrowth('bert', target, from);
    const found = growthMethod('mango').refusals!(growth);
    if (found.length > 0) {
      assert.throws(() => learnedOperators(growth, 'mango'), UnsupportedError);
    }
    return found.map(({ reason, remedy }) => `${reason} ${remedy}`);
  };

  it('are those whose feed-forward matrices are no whole blocks, or other ones', () => {
    assert.deepEqual(refused(targets['in both']), []);
    const [uneven] = refused({ ...targets['in both'], intermediateSize: 20 });
    assert.match(uneven!, /12 hidden units come with 24 feed-forward units, not 20/);
    const [onlyFfn] = refused({ ...small, intermediateSize: 32 });
    assert.match(onlyFfn!, /Ask for 16 feed-forward units/);
    const [none] = refused({ ...targets['in both'] }, { ...small, intermediateSize: 12 });
    assert.match(none!, /12 feed-forward units are no multiple of 8 hidden units/);
  });
});
