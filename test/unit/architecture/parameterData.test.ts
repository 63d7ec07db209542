import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assembleTensor, extractParameter, type Parameter } from '../../../src/architecture';
import { assertClose } from '../../support/close';
import { fixtureNames, readFixture } from './fixtures';

const groupedByTensor = (parameters: readonly Parameter[]): Map<string, Parameter[]> =>
  parameters.reduce((groups, parameter) => {
    const { tensor } = parameter.stored;
    return groups.set(tensor, [...(groups.get(tensor) ?? []), parameter]);
  }, new Map<string, Parameter[]>());

for (const family of fixtureNames) {
  test(`every tensor of ${family} is the same after it was cut into parameters and put together`, () => {
    const { recognition, tensors } = readFixture(family);
    const groups = groupedByTensor(recognition.architecture.parameters);
    assert.equal(groups.size, tensors.size);
    for (const [name, parameters] of groups) {
      const held = tensors.get(recognition.names.get(name)!)!.data as Float32Array;
      // Where norms multiply by 1 + weight, what rounding takes from 1 + weight is not kept.
      const { plus } = parameters[0]!.stored;
      const stored =
        plus === undefined ? held : held.map(value => Math.fround(value + plus) - plus);
      assertClose(stored, held, plus === undefined ? 0 : 2 ** -24, name);
      const parts = parameters.map(parameter => extractParameter(parameter, stored));
      assert.deepEqual(assembleTensor(parameters, parts), stored, name);
      // The order of the parts does not matter: their offsets place them.
      assert.deepEqual(assembleTensor(parameters.toReversed(), parts.toReversed()), stored, name);
    }
  });
}

test("GPT-2's fused and transposed weights come out as [out, in]", () => {
  const { recognition, tensors } = readFixture('gpt2');
  const fused = tensors.get('transformer.h.1.attn.c_attn.weight')!.data as Float32Array;
  const bias = tensors.get('transformer.h.1.attn.c_attn.bias')!.data as Float32Array;
  const parameter = (id: string): Parameter =>
    recognition.architecture.parameters.find(candidate => candidate.id === id)!;
  const width = 64;
  const value = extractParameter(parameter('layers.1.v.weight'), fused);
  const [out, into] = [5, 9];
  assert.equal(value[out * width + into], fused[into * 3 * width + 2 * width + out]);
  assert.deepEqual(
    extractParameter(parameter('layers.1.k.bias'), bias),
    bias.slice(width, 2 * width),
  );
});

test('data of the wrong length and tensors with a part missing are refused', () => {
  const { recognition, tensors } = readFixture('gpt2');
  const name = 'transformer.h.0.attn.c_attn.bias';
  const stored = tensors.get(name)!.data as Float32Array;
  const [query, key] = recognition.architecture.parameters.filter(
    parameter => parameter.stored.tensor === name,
  ) as [Parameter, Parameter, Parameter];
  assert.throws(() => extractParameter(query, stored.subarray(1)), /191 values instead of 192/);
  const parts = [query, key].map(parameter => extractParameter(parameter, stored));
  assert.throws(() => assembleTensor([query, key], parts), /128 of 192 values/);
  assert.throws(() => assembleTensor([query], [stored]), /192 values instead of 64/);
});
