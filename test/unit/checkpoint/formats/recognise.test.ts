import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';

import { openCheckpoint } from '../../../../src/checkpoint/checkpoint';
import { foreignKinds } from '../../../../src/checkpoint/formats/foreign';
import { CorruptFileError, UnsupportedError, UserError } from '../../../../src/errors';
import { inspect } from '../../../../src/inspect/inspect';
import { foreignMarks } from '../../../../src/protocol/weightNames';
import { openModel } from '../../../../src/run/open/model';
import { summarizeFound } from '../../../../src/worker/describe';
import { assertUserError, f32, put, safetensors, temporaryFolder } from '../files';
import { remedyText } from '../../../support/remedyText';

const binary = (text: string, size = 300): Buffer => {
  const noise = Buffer.from(Array.from({ length: size }, (_, i) => (i * 73 + 200) % 256));
  return Buffer.concat([Buffer.from(text, 'latin1'), noise]);
};

const tar = (first: string): Buffer => {
  const header = Buffer.alloc(1024);
  header.write(first);
  header.write('ustar', 257);
  return header;
};

/** Files people try to open: name, contents, class of the error, what it says. */
const strangers: readonly (readonly [string, string | Buffer, typeof UserError, RegExp])[] = [
  [
    'pytorch_model.bin',
    binary('PK\x03\x04'),
    UnsupportedError,
    /zip archive, but not as torch\.save or NumPy write/,
  ],
  [
    'model.safetensors',
    binary('PK\x03\x04'),
    UnsupportedError,
    /zip archive, but not as torch\.save or NumPy write/,
  ],
  ['old.pkl', binary('\x80\x02}q\0.'), UnsupportedError, /pickle.*never opened/],
  ['new.pkl', binary('\x80\x04\x95\x10\0\0\0\0\0\0\0'), UnsupportedError, /pickle.*never opened/],
  ['old.tar', tar('tensors'), UnsupportedError, /tar archive, as PyTorch wrote/],
  ['other.tar', tar('notes.txt'), UnsupportedError, /is a tar archive\.$/],
  ['tf_model.h5', binary('\x89HDF\r\n\x1a\n'), CorruptFileError, /HDF5/],
  ['model.onnx', binary('\x08\x0a\x12\x07pytorch\x1a\x052.7.0:'), CorruptFileError, /ONNX/],
  ['model.gguf', binary('GGUF\x03\0\0\0'), CorruptFileError, /states more than 2\^53 tensors/],
  ['old.gguf', binary('GGUF\x01\0\0\0'), UnsupportedError, /GGUF file of version 1/],
  [
    'weights.npy',
    binary('\x93NUMPY\x01\0'),
    CorruptFileError,
    /weights\.npy is truncated: its header/,
  ],
  ['model.7z', binary("7z\xbc\xaf'\x1c"), UnsupportedError, /7-Zip/],
  ['model.tar.xz', binary('\xfd7zXZ\0'), UnsupportedError, /xz archive/],
  ['model.zst', binary('\x28\xb5\x2f\xfd'), UnsupportedError, /Zstandard/],
  ['model.tar.bz2', binary('BZh9'), UnsupportedError, /bzip2/],
  ['model.rar', binary('Rar!\x1a\x07\x01\0'), UnsupportedError, /RAR/],
  [
    'model.tflite',
    binary('\x1c\0\0\0TFL3'),
    UnsupportedError,
    /TensorFlow Lite.*because it is a graph/,
  ],
  ['model.tar.gz', binary('\x1f\x8b\x08\0\x12\x34\x56\x78'), UnsupportedError, /gzip/],
  ['notes.txt', 'The checkpoint is on the other disk.\n', UnsupportedError, /text file/],
  ['notes.md', `# Größe\n${'ä'.repeat(5000)}`, UnsupportedError, /text file/],
  [
    'pointer.safetensors',
    'version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n',
    UnsupportedError,
    /Git LFS pointer/,
  ],
  ['error.safetensors', '<!doctype html><p>Not found</p>', UnsupportedError, /web page/],
  ['config.json', '{"model_type":"bert"}', CorruptFileError, /has no weight_map/],
  ['list.json', '[1, 2, 3, 4, 5]', UnsupportedError, /text file/],
  ['empty.safetensors', '', CorruptFileError, /is empty/],
  [
    'noise.safetensors',
    binary('\xfe\xed\xfa\xce\xfe\xed\xfa\xce'),
    UnsupportedError,
    /of no format known/,
  ],
];

for (const [name, bytes, kind, says] of strangers) {
  test(`opening ${name} is refused with what it looks like (${says.source}) and what to do`, async t => {
    const path = await put(await temporaryFolder(t), name, bytes);
    const error = await assertUserError(openCheckpoint(path), kind, says);
    assert.ok(error.message.startsWith(path), error.message);
  });
}

test('the extension has no say: a safetensors file opens under any name', async t => {
  const folder = await temporaryFolder(t);
  for (const name of ['pytorch_model.bin', 'model.onnx', 'x.json', 'x']) {
    const path = await put(folder, name, safetensors({ a: f32(0, 1) }, 4));
    const checkpoint = await openCheckpoint(path);
    assert.deepEqual([...checkpoint.tensors.keys()], ['a']);
    await checkpoint.close();
  }
});

test('folders without weights say what they hold instead', async t => {
  const folder = await temporaryFolder(t);
  await assertUserError(openCheckpoint(folder), UserError, /is empty/);
  await put(folder, 'config.json', '{}');
  await assertUserError(openCheckpoint(folder), UserError, /holds no checkpoint/);
  await put(folder, 'optimizer.pt', 'x');
  await assertUserError(openCheckpoint(folder), UserError, /beside a model \(optimizer\.pt\)/);
  await put(folder, 'model.tflite', 'x');
  const error = await assertUserError(
    openCheckpoint(folder),
    UnsupportedError,
    /a TensorFlow Lite model \(model\.tflite\) but no weights that are read here/,
  );
  assert.match(remedyText(error.remedy), /converted from/);
});

/** Folders of training runs and other frameworks: what lies in them, what it is called, what helps. */
const foreignFolders: readonly (readonly [string, readonly string[], RegExp, RegExp])[] = [
  [
    'DCP',
    ['.metadata', '__0_0.distcp', '__1_0.distcp'],
    /distributed checkpoint.*DCP/,
    /format_utils dcp_to_torch/,
  ],
  [
    'FSDP',
    ['pytorch_model_fsdp_0', 'scheduler.bin'],
    /FSDP.*parts of a training run/,
    /accelerate merge-weights/,
  ],
  ['verl', ['model_world_size_2_rank_0.pt'], /verl/, /verl\.model_merger/],
  [
    'DeepSpeed',
    ['global_step100', 'latest', 'zero_to_fp32.py'],
    /DeepSpeed ZeRO \(global_step100\)/,
    /zero_to_fp32\.py \. <folder> --safe_serialization/,
  ],
  [
    'a rank of DeepSpeed',
    ['mp_rank_00_model_states.pt', 'zero_pp_rank_0_mp_rank_00_optim_states.pt'],
    /DeepSpeed/,
    /zero_to_fp32/,
  ],
  [
    'Megatron',
    ['iter_0001000', 'latest_checkpointed_iteration.txt'],
    /Megatron-LM/,
    /Megatron Bridge/,
  ],
  ['Orbax', ['_CHECKPOINT_METADATA', 'd'], /Orbax.*OCDBT/, /safetensors\.flax\.save_file/],
  [
    'a SavedModel',
    ['assets', 'saved_model.pb', 'variables'],
    /SavedModel/,
    /Load it in TensorFlow/,
  ],
  [
    'a TensorFlow checkpoint',
    ['bert_model.ckpt.data-00000-of-00001', 'bert_model.ckpt.index'],
    /a TensorFlow checkpoint/,
    /transformers before version 5/,
  ],
  ['Core ML', ['Model.mlpackage'], /Core ML/, /converted from/],
  ['an archive', ['model.tar.gz'], /an archive \(model\.tar\.gz\)/, /Unpack it/],
];

for (const [what, names, says, helps] of foreignFolders) {
  test(`a folder of ${what} is called what it is, with what helps`, async t => {
    const folder = await temporaryFolder(t);
    for (const name of names) await put(folder, name, 'x');
    const error = await assertUserError(openCheckpoint(folder), UnsupportedError, says);
    assert.match(error.message, /but no weights that are read here/);
    assert.match(remedyText(error.remedy), helps);
    await assertUserError(inspect(folder), UnsupportedError, says);
    // What plans and growths open it with.
    await assertUserError(openModel(folder), UnsupportedError, says);
  });
}

for (const [format, name] of [
  ['flax/bert', 'flax_model.msgpack'],
  ['hdf5/bert', 'tf_model.h5'],
  ['numpy/flax', 'flax_model.npz'],
  ['pytorch/gpt2', 'pytorch_model.bin'],
  ['tfjs/bert', 'model.json'],
] as const) {
  test(`a folder with no other weights than ${name} is opened by it`, async t => {
    const folder = await temporaryFolder(t);
    const from = join(import.meta.dirname, '../../../fixtures/formats', format);
    const besides = (await readdir(from)).filter(file => !file.endsWith('.safetensors'));
    for (const file of besides) await copyFile(join(from, file), join(folder, file));
    const checkpoint = await openCheckpoint(folder);
    t.after(() => checkpoint.close());
    assert.equal(checkpoint.files[0], join(folder, name));
    assert.ok(checkpoint.tensors.size > 0);
  });
}

test('kinds that are known and not read have one name each', () => {
  const ids = foreignKinds.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});

test('paths that lead nowhere are refused', async t => {
  const folder = await temporaryFolder(t);
  await symlink('loop', join(folder, 'loop'));
  await assertUserError(openCheckpoint(join(folder, 'absent')), UserError, /absent does not exist/);
  await assertUserError(openCheckpoint(join(folder, 'loop')), UserError, /leads to itself/);
  await assertUserError(openCheckpoint('/dev/null'), UserError, /neither a file nor a folder/);
});

/** By what the editor's list finds checkpoints that are not read: a file, what it says, what helps. */
const foundByMarks: readonly (readonly [string, RegExp, RegExp])[] = [
  ['dcp/__0_0.distcp', /dcp holds a distributed checkpoint.*DCP/, /dcp_to_torch/],
  ['pytorch_model_fsdp_0/__0_0.distcp', /FSDP/, /accelerate merge-weights/],
  ['ds/zero_to_fp32.py', /DeepSpeed ZeRO/, /zero_to_fp32\.py/],
  ['megatron/latest_checkpointed_iteration.txt', /Megatron-LM/, /Megatron Bridge/],
  ['orbax/_CHECKPOINT_METADATA', /Orbax/, /safetensors\.flax\.save_file/],
];

for (const [path, says, helps] of foundByMarks) {
  test(`${path} stands among what is not supported, with what helps`, async t => {
    const folder = await temporaryFolder(t);
    await mkdir(join(folder, dirname(path)));
    const { kind, problem } = await summarizeFound(await put(folder, path, 'x'));
    assert.equal(kind, 'unsupported');
    assert.match(problem!.message, says);
    assert.match(remedyText(problem!.remedy), helps);
    assert.ok(foreignMarks.includes(basename(path)));
  });
}

test('a pointer of Git LFS in place of a file says how to get it, whatever it stands for', async t => {
  const folder = await temporaryFolder(t);
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n';
  for (const name of ['model.safetensors', 'a.gguf', 'pytorch_model.bin', 'a.keras', 'a.h5']) {
    const path = await put(folder, name, pointer);
    for (const open of [inspect, openModel]) {
      const opening = open(path);
      const { remedy } = await assertUserError(opening, UnsupportedError, /is a Git LFS pointer/);
      assert.match(remedyText(remedy), /git lfs pull/);
    }
  }
});
