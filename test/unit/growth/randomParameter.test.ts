import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomParameter } from '../../../src/growth';
import { smallArchitecture, smallModels } from '../../support/tinyGrowth';

const wide = {
  numHiddenLayers: 2,
  hiddenSize: 96,
  numAttentionHeads: 4,
  intermediateSize: 192,
};

/** Rows of tables that are zero: torch's Embedding keeps its padding row there. */
const zeroRows: Readonly<Record<string, readonly [id: string, row: number][]>> = {
  bert: [['embeddings.word.weight', 0]],
  phi3: [['embeddings.word.weight', 0]],
  'untied bert': [['embeddings.word.weight', 0]],
  roberta: [
    ['embeddings.word.weight', 1],
    ['embeddings.position.weight', 1],
  ],
  distilbert: [['embeddings.word.weight', 0]],
  electra: [['embeddings.word.weight', 0]],
  opt: [['embeddings.word.weight', 1]],
};

const zeroInDeit = /^embeddings\.(cls|distillation|position)\.weight$/;

describe('a model from scratch', () => {
  for (const model of smallModels) {
    it(`has the same numbers around a block of ${model} that is known`, () => {
      const architecture = smallArchitecture(model, wide);
      for (const parameter of architecture.parameters.filter(
        ({ draw }) => draw.kind === 'normal',
      )) {
        const [rows, columns = 1] = parameter.shape as readonly [number, number?];
        const known = { rows: Math.ceil(rows / 2), columns: Math.ceil(columns / 3) };
        const whole = randomParameter(architecture, parameter, 1);
        for (let row = 0; row < known.rows; row++) {
          whole.fill(0, row * columns, row * columns + known.columns);
        }
        const around = randomParameter(architecture, parameter, 1, known);
        assert.deepEqual(around, whole, parameter.id);
      }
    });

    it(`starts ${model} as transformers does`, () => {
      const architecture = smallArchitecture(model, wide);
      for (const parameter of architecture.parameters) {
        const { id, shape } = parameter;
        const values = randomParameter(architecture, parameter, 1);
        assert.equal(
          values.length,
          shape.reduce((a, b) => a * b, 1),
        );
        const isZero = id.endsWith('.bias') || (model === 'deit' && zeroInDeit.test(id));
        if (isZero || parameter.module === 'norm' || parameter.module === 'scale') {
          const constant = parameter.module === 'scale' ? Math.fround(1e-5) : 1;
          assert.ok(
            values.every(value => value === (isZero ? 0 : constant)),
            id,
          );
          continue;
        }
        const width = shape[1] ?? 1;
        const zeros = (zeroRows[model] ?? []).flatMap(([table, row]) =>
          table === id ? [row] : [],
        );
        const drawn = values.filter((_, index) => !zeros.includes(Math.floor(index / width)));
        assert.equal(values.filter(value => value === 0).length, zeros.length * width, id);
        const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
        const square = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length;
        // GPT-2 divides what each of its 2 · layers residual sums takes in.
        const usual = model === 'starcoder2' ? 0.018042 : 0.02;
        const range = model === 'gpt2' && /\.(o|fc2)\./.test(id) ? usual / Math.sqrt(4) : usual;
        // Five standard errors of a normal sample's mean and deviation.
        assert.ok(Math.abs(mean) < (5 * range) / Math.sqrt(drawn.length), `${id}: mean ${mean}`);
        const deviation = Math.sqrt(square) / range;
        assert.ok(Math.abs(deviation - 1) < 5 / Math.sqrt(2 * drawn.length), `${id}: ${deviation}`);
      }
    });
  }

  it('takes the padding row from config.json, and none where it says null', () => {
    const rowIsZero = (pad: number | null, row: number): boolean => {
      const architecture = smallArchitecture('bert', wide, { pad_token_id: pad });
      const [words] = architecture.parameters;
      const values = randomParameter(architecture, words!, 1);
      return values.subarray(row * 96, (row + 1) * 96).every(value => value === 0);
    };
    assert.ok(rowIsZero(3, 3));
    assert.ok(!rowIsZero(3, 0));
    assert.ok(!rowIsZero(null, 0));
  });

  it('takes the range from config.json', () => {
    const [one, other] = [{}, { initializer_range: 0.5 }]
      .map(changes => smallArchitecture('bert', wide, changes))
      .map(architecture => randomParameter(architecture, architecture.parameters[0]!, 1));
    one!.forEach((value, index) => assert.ok(Math.abs(value * 25 - other![index]!) < 1e-6));
  });

  it('is the same for the same seed, and different for another seed or parameter', () => {
    const architecture = smallArchitecture('gpt2', wide);
    const [first, second] = architecture.parameters.filter(({ id }) => id.endsWith('.q.weight'));
    const draw = (parameter: typeof first, seed: number): Float32Array =>
      randomParameter(architecture, parameter!, seed);
    assert.deepEqual(draw(first, 3), draw(first, 3));
    assert.notDeepEqual(draw(first, 3), draw(first, 4));
    assert.notDeepEqual(draw(first, 3), draw(second, 3));
  });
});
