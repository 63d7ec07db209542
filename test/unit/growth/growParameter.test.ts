import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Parameter } from '../../../src/architecture';
import { onnxRuntimeCpu } from '../../../src/engine';
import { evaluate } from '../../../src/graph';
import {
  copyOperators,
  axisSizes,
  depthName,
  growParameter,
  grownWeights,
  grows,
  growthMethod,
  initializeOperators,
  initialOperators,
  startedOperators,
  operatorsIn,
  operatorsOf,
  smallInputName,
  spaceSizes,
  widthName,
  type Growth,
  type OperatorValues,
  type SmallValues,
} from '../../../src/growth';
import { assertClose, largestDifference } from '../../support/close';
import { runOnce } from '../../support/programs';
import {
  randomOperators,
  randomSmall,
  smallModels,
  targets,
  tinyGrowth,
} from '../../support/tinyGrowth';

const engine = onnxRuntimeCpu({ threads: 1 });

/** One grown parameter in float64, by the program that writes checkpoints. */
function grow(growth: Growth, parameter: Parameter, operators: OperatorValues, small: SmallValues) {
  const { program, feeds } = growParameter(growth, parameter, operators);
  return evaluate([program.outputs['grown']!], feeds(operators, small))[0]!;
}

/**
 * Entry [row, column] of B = [I; M], or of B for each of the times that an axis holds every unit; the
 * identity where a space does not grow.
 */
function widthEntry(growth: Growth, space: Parameter['spaces'][number], values: OperatorValues) {
  const { small } = spaceSizes(growth, space.role);
  const m = grows(growth, space) ? values[widthName(space)]! : undefined;
  const { times, run } = space.spread ?? { times: 1, run: 1 };
  const unitOf = (entry: number): number => Math.floor(entry / (times * run)) * run + (entry % run);
  const turnOf = (entry: number): number => Math.floor(entry / run) % times;
  return (row: number, column: number): number => {
    if (turnOf(row) !== turnOf(column)) return 0;
    const [large, old] = [unitOf(row), unitOf(column)];
    return large < small ? Number(large === old) : m![(large - small) * small + old]!;
  };
}

/** B_out (Σ_j w[i, j] W_j) B_inᵀ by the formula, one sum after the other. */
function byFormula(
  growth: Growth,
  { spaces, shape, kind, part, layer, id }: Parameter,
  operators: OperatorValues,
  stack: Float32Array,
): Float64Array {
  const [rows1, columns1 = 1] = spaces.map(space => axisSizes(growth, space).small);
  const layers = stack.length / (rows1! * columns1);
  const coefficient = (j: number): number =>
    kind
      ? operators[depthName(kind, part)]![layer! * layers + j]!
      : (operators[`width.${id}`]?.[0] ?? 1);
  const blended = (row: number, column: number): number => {
    let sum = 0;
    for (let j = 0; j < layers; j++) {
      sum += coefficient(j) * stack[(j * rows1! + row) * columns1 + column]!;
    }
    return sum;
  };
  const out = widthEntry(growth, spaces[0]!, operators);
  const inner = spaces[1] ? widthEntry(growth, spaces[1], operators) : () => 1;
  const [rows2, columns2 = 1] = shape as readonly [number, number?];
  assert.ok(rows2 >= rows1! && columns2 >= columns1, id);
  return Float64Array.from({ length: rows2 * columns2 }, (_, index) => {
    const [row, column] = [Math.floor(index / columns2), index % columns2];
    let sum = 0;
    for (let r = 0; r < rows1!; r++) {
      if (out(row, r) === 0) continue;
      for (let c = 0; c < columns1; c++) sum += out(row, r) * blended(r, c) * inner(column, c);
    }
    return sum;
  });
}

describe('growParameter', () => {
  for (const model of smallModels) {
    it(`makes of every parameter of ${model} what training sees, and what the formula says`, () => {
      const growth = tinyGrowth(model, targets['in both']);
      const [operators, small] = [randomOperators(growth, 1), randomSmall(growth, 2)];
      const weights = grownWeights(growth);
      for (const parameter of growth.target.parameters) {
        const grown = grow(growth, parameter, operators, small);
        const tensor = weights.tensor(parameter.id);
        assert.deepEqual(tensor.shape, parameter.shape, parameter.id);
        const [seen] = evaluate([tensor], { ...operators, ...small });
        assertClose(grown, seen!, 1e-12, parameter.id);
        const stack = small[smallInputName(parameter)]!;
        assertClose(grown, byFormula(growth, parameter, operators, stack), 1e-12, parameter.id);
      }
    });
  }

  it('takes shares and constants of copying methods as the graph of the large model does', () => {
    for (const model of smallModels) {
      const growth = tinyGrowth(model, { ...targets['in both'], numHiddenLayers: 4 });
      const { making } = growthMethod('net2net');
      assert.equal(making.kind, 'copies');
      const operators =
        making.kind === 'copies' ? copyOperators(growth, making.copies(growth, 3)) : {};
      assert.ok(Object.keys(operators).some(name => name.startsWith('share.')));
      const small = randomSmall(growth, 8);
      const weights = grownWeights(growth, operatorsIn(growth, operators));
      for (const parameter of growth.target.parameters) {
        const grown = grow(growth, parameter, operators, small);
        const [seen] = evaluate([weights.tensor(parameter.id)], { ...operators, ...small });
        assertClose(grown, seen!, 1e-12, `${model}: ${parameter.id}`);
      }
    }
  });

  it('multiplies norms outside the layers as the graph of the large model does', () => {
    for (const model of smallModels) {
      const growth = tinyGrowth(model, targets['in both']);
      const start = { depth: 'stackbert_noisy', width: 'rand', normCorrection: 'all' } as const;
      const operators = initialOperators(growth, start, 7);
      const small = randomSmall(growth, 8);
      const weights = grownWeights(growth, startedOperators(growth, start));
      const scaled = growth.target.parameters.filter(({ id }) => operators[`width.${id}`]);
      const norms = scaled.filter(({ id }) => /(norm|ln\d)\.weight$/.test(id));
      // Those of ELECTRA lie where its tables do, which stay as narrow as they are.
      assert.equal(norms.length > 0, model !== 'electra');
      const { hiddenSize } = growth.source.dimensions;
      const less = Math.sqrt(hiddenSize / growth.target.dimensions.hiddenSize);
      // Gemma's words enter √hiddenSize times as large: its table is scaled, and the norm that reads it back.
      const isGemma = model.startsWith('gemma');
      assert.equal(scaled.length - norms.length, isGemma ? 1 : 0);
      for (const parameter of scaled) {
        const grown = grow(growth, parameter, operators, small);
        const [seen] = evaluate([weights.tensor(parameter.id)], { ...operators, ...small });
        assertClose(grown, seen!, 1e-12, parameter.id);
        const stack = small[smallInputName(parameter)]!;
        assertClose(grown, byFormula(growth, parameter, operators, stack), 1e-12, parameter.id);
        const expected = isGemma && parameter.module === 'norm' ? 1 : less;
        assertClose(operators[`width.${parameter.id}`]!, [expected], 1e-6, parameter.id);
      }
    }
  });

  it('makes the same on ONNX Runtime, to float32', async () => {
    const growth = tinyGrowth('bert', targets['in both']);
    const [operators, small] = [randomOperators(growth, 3), randomSmall(growth, 4)];
    for (const parameter of growth.target.parameters) {
      const { program, feeds } = growParameter(growth, parameter);
      const { grown } = await runOnce(engine, program, feeds(operators, small));
      assertClose(grown!, grow(growth, parameter, operators, small), 1e-6, parameter.id);
    }
  });

  it('keeps the small model in the first rows and columns when layers are copied whole', () => {
    for (const model of smallModels) {
      const growth = tinyGrowth(model, targets['in both']);
      const operators = initializeOperators(
        operatorsOf(growth),
        { depth: 'stackbert', width: 'rand' },
        5,
      );
      const small = randomSmall(growth, 6);
      for (const parameter of growth.target.parameters) {
        const grown = grow(growth, parameter, operators, small);
        const [rows, columns = 1] = parameter.spaces.map(space => axisSizes(growth, space).small);
        const stride = parameter.shape[1] ?? 1;
        const block = Float64Array.from({ length: rows! * columns }, (_, index) => {
          return grown[Math.floor(index / columns) * stride + (index % columns)]!;
        });
        const stack = small[smallInputName(parameter)]!;
        const source = parameter.kind ? parameter.layer! % 2 : 0;
        const expected = stack.subarray(source * block.length, (source + 1) * block.length);
        assert.equal(largestDifference(block, expected), 0, parameter.id);
      }
    }
  });

  it('says which values are missing', () => {
    const growth = tinyGrowth('bert', targets['in both']);
    const parameter = growth.target.parameters.find(({ id }) => id === 'layers.2.q.weight')!;
    const [operators, small] = [randomOperators(growth, 1), randomSmall(growth, 2)];
    const { feeds } = growParameter(growth, parameter);
    assert.throws(() => feeds(operators, {}), /No values for small\.q\.weight/);
    for (const name of ['depth.q.weight', 'width.query.2', 'width.residual']) {
      const without = Object.fromEntries(
        Object.entries(operators).filter(([known]) => known !== name),
      );
      assert.throws(() => feeds(without, small), new RegExp(`No values for ${name}`));
    }
  });
});

describe('operatorsOf', () => {
  it('names one operator a space that grows and one a module kind and part', () => {
    const growth = tinyGrowth('untied bert', targets['in both']);
    const expected = new Map<string, readonly [number, number]>([
      ['width.residual', [4, 8]],
      ['width.head', [4, 8]],
    ]);
    for (const layer of [0, 1, 2]) {
      for (const role of ['query', 'key', 'value']) expected.set(`width.${role}.${layer}`, [4, 8]);
      expected.set(`width.ffn.${layer}`, [6, 12]);
    }
    for (const kind of ['q', 'k', 'v', 'o', 'ln1', 'fc1', 'fc2', 'ln2']) {
      for (const part of ['weight', 'bias']) expected.set(`depth.${kind}.${part}`, [3, 2]);
    }
    const found = new Map(operatorsOf(growth).map(({ name, shape }) => [name, shape]));
    assert.deepEqual(
      new Map([...found].sort(([a], [b]) => a.localeCompare(b))),
      new Map([...expected].sort(([a], [b]) => a.localeCompare(b))),
    );
    for (const { name, group } of operatorsOf(growth)) assert.ok(name.startsWith(`${group}.`));
  });

  it('has no width operators in depth-only growth, but depth operators in every growth', () => {
    const groups = (how: keyof typeof targets): Set<string> =>
      new Set(operatorsOf(tinyGrowth('bert', targets[how])).map(({ group }) => group));
    assert.deepEqual(groups('in depth'), new Set(['depth']));
    assert.deepEqual(groups('in width'), new Set(['width', 'depth']));
  });

  it('never grows what the data decides', () => {
    for (const model of smallModels) {
      const names = operatorsOf(tinyGrowth(model, targets['in both'])).map(({ name }) => name);
      const fixed = /^width\.(vocabulary|position|tokenType|class|pixel)$/;
      assert.ok(!names.some(name => fixed.test(name)));
    }
  });
});
