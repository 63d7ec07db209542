import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CorruptFileError } from '../../../src/errors';
import {
  checkOperators,
  fromReleasedNames,
  isReleasedNaming,
  operatorsOf,
  type OperatorValues,
} from '../../../src/growth';
import { uniform } from '../../support/random';
import { targets, tinyGrowth } from '../../support/tinyGrowth';

const growth = tinyGrowth('untied bert', targets['in both']);

const modules = {
  'attention.self.query': 'q',
  'attention.self.key': 'k',
  'attention.self.value': 'v',
  'attention.output.dense': 'o',
  'attention.output.LayerNorm': 'ln1',
  'intermediate.dense': 'fc1',
  'output.dense': 'fc2',
  'output.LayerNorm': 'ln2',
} as const;

/** Operators by the names that the released code saves, every value another. */
function released(model = 'bert', head = 'cls.predictions'): Record<string, Float32Array> {
  let seed = 1;
  const next = (count: number): Float32Array => uniform(seed++, count);
  const values: Record<string, Float32Array> = {
    [`${model}.embeddings.fuse_width_emb.coeffs_weight`]: next(4 * 8),
    [`${head}.fuse_width_cls.coeffs_weight`]: next(4 * 8),
  };
  for (const layer of [0, 1, 2]) {
    const prefix = `${model}.encoder.layer.${layer}`;
    for (const space of ['query', 'key', 'value']) {
      values[`${prefix}.fuse_width_${space}.coeffs_weight`] = next(4 * 8);
    }
    values[`${prefix}.fuse_width_ffn.coeffs_weight`] = next(6 * 12);
    for (const module of Object.keys(modules)) {
      values[`${prefix}.${module}.fuse_depth_coeffs.coeffs_weight`] = next(2);
      values[`${prefix}.${module}.fuse_depth_coeffs.coeffs_bias`] = next(2);
    }
  }
  return values;
}

const refuses = (values: OperatorValues, message: RegExp): void =>
  assert.throws(
    () => fromReleasedNames(growth, values),
    (error: unknown) => error instanceof CorruptFileError && message.test(error.message),
    String(message),
  );

describe('operators saved by the released code', () => {
  for (const [model, head] of [
    ['bert', 'cls.predictions'],
    ['roberta', 'lm_head'],
  ] as const) {
    it(`of ${model} are read under our names, its depth rows joined in order`, () => {
      const given = released(model, head);
      const values = fromReleasedNames(growth, given);
      assert.deepEqual(
        Object.keys(values),
        operatorsOf(growth).map(({ name }) => name),
      );
      assert.equal(
        values['width.residual'],
        given[`${model}.embeddings.fuse_width_emb.coeffs_weight`],
      );
      assert.equal(values['width.head'], given[`${head}.fuse_width_cls.coeffs_weight`]);
      for (const layer of [0, 1, 2]) {
        const prefix = `${model}.encoder.layer.${layer}`;
        for (const space of ['query', 'key', 'value', 'ffn']) {
          const name = `${prefix}.fuse_width_${space}.coeffs_weight`;
          assert.equal(values[`width.${space}.${layer}`], given[name]);
        }
        for (const [module, kind] of Object.entries(modules)) {
          for (const part of ['weight', 'bias']) {
            assert.deepEqual(
              values[`depth.${kind}.${part}`]!.slice(2 * layer, 2 * layer + 2),
              given[`${prefix}.${module}.fuse_depth_coeffs.coeffs_${part}`],
            );
          }
        }
      }
    });
  }

  it('are recognised by their names', () => {
    assert.ok(isReleasedNaming(Object.keys(released())));
    assert.ok(!isReleasedNaming(['width.residual', 'depth.q.weight', 'bert.pooler.dense.weight']));
    assert.ok(!isReleasedNaming([]));
  });

  it('are refused when any of them is missing', () => {
    const whole = released();
    for (const name of Object.keys(whole)) {
      const rest = Object.fromEntries(Object.entries(whole).filter(([other]) => other !== name));
      refuses(rest, /does not fit this growth: (width|depth)\.\S+ needs/);
    }
  });

  it('are refused when any of them has another size', () => {
    const whole = released();
    for (const name of Object.keys(whole)) {
      refuses({ ...whole, [name]: new Float32Array(3) }, /does not fit this growth/);
    }
  });

  it('leave out an operator that this growth does not have', () => {
    const tied = tinyGrowth('bert', targets['in both']);
    const values = fromReleasedNames(tied, released());
    assert.equal(values['width.head'], undefined);
    assert.equal(Object.keys(values).length, operatorsOf(tied).length);
  });
});

describe('checkOperators', () => {
  const values = Object.fromEntries(
    operatorsOf(growth).map(({ name, shape }) => [name, new Float32Array(shape[0] * shape[1])]),
  );

  it('gives back the operators this growth needs, and no other', () => {
    const checked = checkOperators(growth, { ...values, 'width.unknown': new Float32Array(1) });
    assert.deepEqual(Object.keys(checked), Object.keys(values));
  });

  it('says which one does not fit, and its shape', () => {
    assert.throws(
      () => checkOperators(growth, { ...values, 'width.ffn.1': new Float32Array(5) }),
      /width\.ffn\.1 needs \[6, 12\] values/,
    );
  });
});
