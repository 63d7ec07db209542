import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openCheckpoint, type Checkpoint } from '../../../../../src/checkpoint/checkpoint';
import { elementCount } from '../../../../../src/checkpoint/tensor';
import { isReadableType } from '../../../../../src/checkpoint/elementTypes';
import { openModel } from '../../../../../src/run/open/model';
import { torchFile } from './fixtures';

/** Opens a file and what it should hold, and closes both. */
async function compare(
  file: string,
  expected: string,
  check: (found: Checkpoint, expected: Checkpoint) => Promise<void>,
): Promise<void> {
  const found = await openCheckpoint(torchFile(file));
  const other = await openCheckpoint(torchFile(expected));
  try {
    await check(found, other);
  } finally {
    await found.close();
    await other.close();
  }
}

/** Every tensor of a file is what safetensors holds under its name, and nothing else is there. */
async function holdsTheSame(found: Checkpoint, expected: Checkpoint): Promise<void> {
  const names = (checkpoint: Checkpoint): string[] => [...checkpoint.tensors.keys()].sort();
  assert.deepEqual(names(found), names(expected));
  await holdsSome(found, expected);
}

async function holdsSome(found: Checkpoint, expected: Checkpoint): Promise<void> {
  assert.ok(found.tensors.size > 1);
  for (const [name, { type, shape, bytes }] of found.tensors) {
    const same = expected.tensors.get(name)!;
    assert.deepEqual({ name, type, shape, bytes }, { ...pick(same), name });
    const read = Buffer.from(await found.readBytes(name));
    assert.ok(read.equals(Buffer.from(await expected.readBytes(name))), `bytes of ${name}`);
  }
}

const pick = ({
  type,
  shape,
  bytes,
}: {
  type: string;
  shape: readonly number[];
  bytes: number;
}) => ({
  type,
  shape,
  bytes,
});

const forms = [
  ['', 'an archive'],
  ['-old', 'the form before torch 1.6'],
  ['-deflated', 'an archive that was compressed afterwards'],
] as const;

for (const [form, is] of forms) {
  test(`all element types are read from ${is}, byte for byte`, () =>
    compare(`types${form}.pt`, 'types.safetensors', form === '-old' ? holdsSome : holdsTheSame));

  test(`views of storages are read from ${is}, byte for byte`, () =>
    compare(`views${form}.pt`, 'views.safetensors', holdsTheSame));

  test(`some elements of a view are those of the whole, from ${is}`, () =>
    compare(`views${form}.pt`, 'views.safetensors', async found => {
      for (const [name, { shape, type }] of found.tensors) {
        if (!isReadableType(type)) continue;
        const whole = await found.readFloat32(name);
        const count = elementCount(shape);
        for (let first = 0; first <= count; first += 3) {
          for (let length = 0; first + length <= count; length += 4) {
            const some = await found.readRange(name, first, length);
            assert.deepEqual(
              some,
              whole.slice(first, first + length),
              `${name} ${first} ${length}`,
            );
          }
        }
      }
    }));

  for (const protocol of form === '-deflated' ? [] : [1, 2, 4, 5]) {
    test(`protocol ${protocol} of pickle is read from ${is}`, async () => {
      const found = await openCheckpoint(torchFile(`protocol${protocol}${form}.pt`));
      assert.deepEqual([...(await found.readFloat32('a'))], [0, 1, 2, 3, 4, 5]);
      assert.deepEqual(found.tensors.get('a')?.shape, [2, 3]);
      assert.deepEqual([...(await found.readFloat32('b'))], [1, 1]);
      assert.deepEqual(found.notes, []);
      await found.close();
    });
  }
}

test('a pytorch_model.bin holds the bytes that safetensors holds of the same model', () =>
  compare('gpt2/pytorch_model.bin', 'gpt2/model.safetensors', async (found, expected) => {
    // safetensors keeps one of two names of a tensor.
    const twice = [...found.tensors.keys()].filter(name => !expected.tensors.has(name));
    assert.deepEqual(twice, ['lm_head.weight']);
    for (const name of expected.tensors.keys()) {
      const read = Buffer.from(await found.readBytes(name));
      assert.ok(read.equals(Buffer.from(await expected.readBytes(name))), name);
    }
    const tied = Buffer.from(await found.readBytes('lm_head.weight'));
    assert.ok(tied.equals(Buffer.from(await found.readBytes('transformer.wte.weight'))));
    assert.deepEqual(found.notes, []);
  }));

test('a pytorch_model.bin is recognised as the model that it is', async () => {
  const model = await openModel(torchFile('gpt2/pytorch_model.bin'));
  assert.equal(model.architecture.modelClass, 'GPT2LMHeadModel');
  await model.checkpoint.close();
});
