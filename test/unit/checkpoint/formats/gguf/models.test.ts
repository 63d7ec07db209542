import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { UserError } from '../../../../../src/errors';
import { inspect } from '../../../../../src/inspect/inspect';
import { openModel, readParameters } from '../../../../../src/run/open/model';
import { fixtureJson } from '../../../../support/fixtures';
import { remedyText } from '../../../../support/remedyText';
import { assertUserError, put, temporaryFolder } from '../../files';
import { asI32, asText, asTexts, asU32, gguf, ggufFixture, type GgufParts } from './ggufFile';

interface Expected {
  /** What transformers makes of the file; null where it does not read such files. */
  readonly config: Readonly<Record<string, unknown>> | null;
  readonly tensors: Readonly<Record<string, readonly [shape: readonly number[], sha256: string]>>;
  /** The config of the model that was written. */
  readonly source: Readonly<Record<string, unknown>>;
}

const models = fixtureJson<Readonly<Record<string, Expected>>>('formats/gguf/models.json');

/** Fields that transformers sets and no model has, or that have another name there. */
const unread = ['_model_name_or_path', 'n_ctx', 'feed_forward_length'];

const digest = (values: Float32Array): string =>
  createHash('sha256').update(values).digest('hex').slice(0, 16);

/** Numbers as the file has them: float32. */
const asStored = (value: unknown): unknown =>
  typeof value === 'number' ? Math.fround(value) : value;

for (const [name, { config, tensors, source }] of Object.entries(models)) {
  test(`every tensor of a ${name} is that of transformers' model, by name, shape and bits`, async () => {
    const { checkpoint } = await openModel(ggufFixture(`${name}.gguf`));
    try {
      const found = [...checkpoint.tensors.keys()].filter(tensor => !/^rope_f/.test(tensor));
      assert.deepEqual(found.sort(), Object.keys(tensors).sort());
      for (const [tensor, [shape, sha256]] of Object.entries(tensors)) {
        assert.deepEqual(checkpoint.tensors.get(tensor)!.shape, shape, tensor);
        const values = await checkpoint.readFloat32(tensor);
        assert.equal(digest(values), sha256, tensor);
        const [first, count] = [values.length >> 1, Math.min(9, values.length >> 1)];
        const some = await checkpoint.readRange(tensor, first, count);
        assert.deepEqual(some, values.slice(first, first + count), tensor);
      }
    } finally {
      await checkpoint.close();
    }
  });

  test(`the config of a ${name} is that of the model that was converted`, async () => {
    const model = await openModel(ggufFixture(`${name}.gguf`));
    await readParameters(model);
    await model.checkpoint.close();
    const found = model.checkpoint.config!;
    for (const [field, value] of Object.entries(config ?? {})) {
      if (!unread.includes(field)) assert.deepEqual(found[field], value, field);
    }
    for (const [field, value] of Object.entries(source)) {
      if (field in found) assert.deepEqual(asStored(found[field]), asStored(value), field);
    }
    const factors = model.ignored.filter(({ name }) => !/^rope_f/.test(name));
    assert.deepEqual(factors, []);
  });
}

/** The rotary scaling that a file tells. */
async function scalingIn(name: string): Promise<unknown> {
  const checkpoint = await openCheckpoint(ggufFixture(name));
  await checkpoint.close();
  return checkpoint.config!['rope_scaling'];
}

test('the rotary scaling of Llama 3 is recognised by its factors', async () => {
  assert.deepEqual(await scalingIn('llama3.gguf'), {
    rope_type: 'llama3',
    factor: 32,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  });
});

test('the two lists of factors of LongRoPE are taken from their tensors', async () => {
  const long = { rope_type: 'longrope', long_factor: [1.5, 4], short_factor: [1, 1.25] };
  assert.deepEqual(await scalingIn('phi3.gguf'), long);
});

test('linear scaling is taken from the metadata', async () => {
  assert.deepEqual(await scalingIn('gemma3.gguf'), { rope_type: 'linear', factor: 8 });
  assert.equal(await scalingIn('qwen2.gguf'), undefined);
});

test('a config.json beside the file is not used, and a note says so', async t => {
  const folder = await temporaryFolder(t);
  await copyFile(ggufFixture('qwen2.gguf'), join(folder, 'qwen2.gguf'));
  await put(folder, 'config.json', '{"model_type": "bert"}');
  const model = await openModel(folder);
  await model.checkpoint.close();
  assert.equal(model.architecture.family, 'qwen2');
  assert.match(
    model.notes.map(({ message }) => message).join(),
    /config.json beside qwen2.gguf is not/,
  );
});

test('growing what is quantised says what that costs', async () => {
  const model = await openModel(ggufFixture('llama.gguf'));
  await model.checkpoint.close();
  const [note] = model.notes;
  assert.match(
    note!.message,
    /^14 of 21 tensors are quantised \(Q8_0\): they are read as float32, 73.7 kB in/,
  );
});

/** Metadata of a Llama with the given further entries, and no tensors. */
const llamaWith = (
  ...more: readonly (readonly [key: string, value: Buffer])[]
): readonly (readonly [key: string, value: Buffer])[] => [
  ['general.architecture', asText('llama')],
  ['llama.embedding_length', asU32(8)],
  ['llama.attention.head_count', asU32(2)],
  ...more,
];

/** What keeps a file with these entries and tensors from being a model. */
const refusals: readonly (readonly [string, GgufParts, RegExp])[] = [
  [
    'of an architecture that is not known',
    { values: [['general.architecture', asText('mamba')]] },
    /architecture "mamba", which is not supported/,
  ],
  ['that names no architecture', {}, /general.architecture/],
  [
    'with a mixture of experts',
    { values: llamaWith(['llama.expert_count', asU32(8)]) },
    /mixture of experts/,
  ],
  [
    'with different heads in each layer',
    { values: llamaWith(['llama.attention.head_count_kv', asTexts(['2', '1'])]) },
    /"llama.attention.head_count_kv" is a list, .* not a number/,
  ],
  [
    'that turns a part of each head',
    {
      values: llamaWith(
        ['llama.attention.key_length', asU32(4)],
        ['llama.rope.dimension_count', asU32(2)],
      ),
    },
    /2 of the 4 units of a head turned/,
  ],
  [
    'with factors of rotation that are not those of Llama 3',
    {
      values: llamaWith(),
      tensors: [{ name: 'rope_freqs.weight', axes: [2] }],
      data: Buffer.from(Float32Array.from([1, 3]).buffer),
    },
    /scales its rotary positions in a way/,
  ],
  [
    'with two tensors for one of the model',
    {
      values: llamaWith(),
      tensors: [
        { name: 'output.weight', axes: [0] },
        { name: 'lm_head.weight', axes: [0] },
      ],
    },
    /two tensors are "lm_head.weight"/,
  ],
  [
    'whose queries are no whole heads',
    { values: llamaWith(), tensors: [{ name: 'blk.0.attn_q.weight', axes: [0, 5] }] },
    /has 5 rows, which are not those of 2 heads/,
  ],
  [
    'with fewer heads than none',
    {
      values: llamaWith(['llama.attention.head_count_kv', asI32(-1)]),
      tensors: [{ name: 'blk.0.attn_k.weight', axes: [0, 4] }],
    },
    /has 4 rows, which are not those of -1 heads/,
  ],
  [
    'quantised in a way that has no numbers here',
    { values: llamaWith(), tensors: [{ name: 'token_embd.weight', axes: [256, 0], kind: 19 }] },
    /One tensor is quantised as IQ1_S/,
  ],
];

for (const [what, parts, says] of refusals) {
  test(`a file ${what} is listed under its own names, and no model`, async t => {
    const path = await put(await temporaryFolder(t), 'model.gguf', gguf(parts));
    await assertUserError(openModel(path), UserError, says);
    const { state, problems, tensors } = await inspect(path);
    assert.equal(state, 'tensors');
    assert.match(problems[0]!.message, says);
    const names = (parts.tensors ?? []).map(({ name }) => String(name));
    assert.deepEqual(tensors.map(({ name }) => name).sort(), names.sort());
  });
}

test('the architectures that are known are named where one is not', async t => {
  const parts = { values: [['general.architecture', asText('mamba')]] as const };
  const path = await put(await temporaryFolder(t), 'model.gguf', gguf(parts));
  const { remedy } = await assertUserError(openModel(path), UserError, /mamba/);
  assert.match(remedyText(remedy), /gemma3, gpt2, gptneox, granite, llama, olmo2, phi3, qwen2,/);
});

test('what the metadata says and nobody follows becomes a note', async t => {
  const values = llamaWith(['llama.attention.max_alibi_bias', asU32(8)]);
  const path = await put(await temporaryFolder(t), 'model.gguf', gguf({ values }));
  const { notes } = await inspect(path);
  assert.match(notes[0]!.message, /"attention.max_alibi_bias" of the model, which is not followed/);
});

test('tensors may have lines in their names', async t => {
  const name = 'blk.0.attn\u2028q.weight';
  const parts = { values: llamaWith(), tensors: [{ name, axes: [0] }] };
  const path = await put(await temporaryFolder(t), 'model.gguf', gguf(parts));
  assert.deepEqual(
    (await inspect(path)).tensors.map(tensor => tensor.name),
    [name],
  );
});
