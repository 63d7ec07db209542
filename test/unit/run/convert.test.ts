import assert from 'node:assert/strict';
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { listCheckpoint, openCheckpoint } from '../../../src/checkpoint/checkpoint';
import { writeCheckpoint } from '../../../src/checkpoint/writeCheckpoint';
import { InterruptedError } from '../../../src/errors';
import type { ConversionRequest } from '../../../src/protocol/conversion';
import { convert } from '../../../src/run/convert/convert';
import { fixture } from '../../support/fixtures';
import { entries, recorded, temporaryFolder } from './support';

const toSafetensors = (checkpoint: string, out: string): ConversionRequest => ({
  checkpoint,
  out,
  format: 'safetensors',
});

/** Checkpoints of every format that is read, and of kinds that are listed alone. */
const sources = [
  'formats/pytorch/gpt2',
  'formats/pytorch/sharded',
  'formats/pytorch/types.pt',
  'formats/pytorch/views-old.pt',
  'formats/gguf/llama.gguf',
  'formats/gguf/gemma2.gguf',
  'formats/hdf5/bert',
  'formats/tfjs/bert',
  'formats/flax/gpt2',
  'formats/flax/types.msgpack',
  'formats/llama2c/tied',
  'formats/numpy/types.npz',
  'formats/numpy/array.npy',
  'formats/onnx/external.onnx',
  'hf/bert-sharded',
  'hf/bert-bfloat16',
];

for (const source of sources) {
  test(`${source} becomes safetensors with the bytes of every tensor unchanged`, async () => {
    const out = join(temporaryFolder(), 'out');
    const { context } = recorded();
    const receipt = await convert(context, toSafetensors(fixture(source), out));
    const before = await listCheckpoint(fixture(source));
    const after = await openCheckpoint(out);
    const leftOut = new Set(receipt.leftOut.map(({ name }) => name));
    const kept = [...before.tensors.keys()].filter(name => !leftOut.has(name));
    assert.deepEqual([...after.tensors.keys()].sort(), kept.sort());
    for (const name of kept) {
      const [{ type, shape }, now] = [before.tensors.get(name)!, after.tensors.get(name)!];
      assert.deepEqual([now.type, now.shape], [type, shape], name);
      assert.deepEqual(await after.readBytes(name), await before.readBytes(name), name);
    }
    assert.deepEqual(after.config, before.config);
    assert.equal(after.metadata['format'], 'pt');
    assert.equal(receipt.source.sha256, await before.sha256());
    const stored = JSON.parse(readFileSync(join(out, 'conversion.json'), 'utf8')) as object;
    assert.deepEqual({ ...stored, out }, receipt);
    await Promise.all([before.close(), after.close()]);
  });
}

test('a tied table is written once, and the receipt names the copy', async () => {
  const out = join(temporaryFolder(), 'out');
  const { context } = recorded();
  const { leftOut } = await convert(
    context,
    toSafetensors(fixture('formats/pytorch/sharded'), out),
  );
  assert.deepEqual(leftOut, [
    { name: 'lm_head.weight', reason: 'holds what transformer.wte.weight holds' },
  ]);
});

test('tokenizer and config.json go along as they are', async () => {
  const folder = temporaryFolder();
  cpSync(fixture('hf/llama'), join(folder, 'in'), { recursive: true });
  writeFileSync(join(folder, 'in', 'tokenizer.json'), '{"a": 1}');
  const { context } = recorded();
  const receipt = await convert(context, toSafetensors(join(folder, 'in'), join(folder, 'out')));
  for (const name of ['config.json', 'tokenizer.json']) {
    assert.deepEqual(
      readFileSync(join(folder, 'out', name)),
      readFileSync(join(folder, 'in', name)),
    );
  }
  assert.deepEqual(
    receipt.source.companions.map(({ name }) => name),
    ['tokenizer.json'],
  );
});

test('large checkpoints are written in shards with an index', async () => {
  const out = join(temporaryFolder(), 'out');
  const { context } = recorded();
  const request = toSafetensors(fixture('hf/llama'), out);
  const { files } = await convert(context, { ...request, maxShardBytes: 150_000 });
  assert.deepEqual(readdirSync(out).sort(), ['config.json', 'conversion.json', ...files].sort());
  assert.equal(files.at(-1), 'model.safetensors.index.json');
  assert.equal(files.length, 4);
  await (await openCheckpoint(out)).close();
});

test('of a training checkpoint the model is written, and what it was and what is left is told', async () => {
  const out = join(temporaryFolder(), 'out');
  const { context } = recorded();
  const path = fixture('formats/pytorch/training/lightning.ckpt');
  const { warnings } = await convert(context, toSafetensors(path, out));
  assert.match(warnings.join('\n'), /training checkpoint holds as "state_dict", without/);
  const [found, expected] = await Promise.all([
    openCheckpoint(out),
    openCheckpoint(fixture('formats/pytorch/training/expected.safetensors')),
  ]);
  assert.deepEqual([...found.tensors.keys()].sort(), [...expected.tensors.keys()].sort());
  for (const name of expected.tensors.keys()) {
    assert.deepEqual(await found.readBytes(name), await expected.readBytes(name), name);
  }
  await Promise.all([found.close(), expected.close()]);
});

test('what lies beside the weights and is left behind is told, and the receipt keeps it', async () => {
  const folder = join(temporaryFolder(), 'checkpoint-500');
  cpSync(fixture('hf/gpt2'), folder, { recursive: true });
  const ofTraining = [
    'optimizer.pt',
    'optimizer.safetensors',
    'scheduler.pt',
    'trainer_state.json',
  ];
  rmSync(join(folder, 'golden.safetensors'));
  for (const name of [...ofTraining, 'ema.safetensors', 'pytorch_model.bin']) {
    writeFileSync(join(folder, name), '');
  }
  const { context, events } = recorded();
  const { warnings } = await convert(
    context,
    toSafetensors(folder, join(temporaryFolder(), 'out')),
  );
  const told = events.flatMap(event => (event.type === 'warning' ? [event.message] : []));
  assert.deepEqual(told, warnings);
  assert.deepEqual(warnings, [
    `What its training left beside the weights is not converted: ${ofTraining.map(name => `"${name}"`).join(', ')}.`,
    'Other weights in its folder are not converted: "ema.safetensors", "pytorch_model.bin".',
  ]);
  const file = join(folder, 'model.safetensors');
  const alone = await convert(context, toSafetensors(file, join(temporaryFolder(), 'out')));
  assert.equal(alone.warnings.length, 1);
});

test('packed weights are carried as they are, and it is said that they are packed', async () => {
  const folder = temporaryFolder();
  const bytes = Uint8Array.from({ length: 64 }, (_, i) => i);
  await writeCheckpoint(folder, [
    { name: 'h.0.qweight', type: 'I32', shape: [4, 4], values: async () => bytes },
  ]);
  const out = join(temporaryFolder(), 'out');
  const { context, events } = recorded();
  await convert(context, toSafetensors(folder, out));
  const written = await listCheckpoint(out);
  assert.deepEqual(await written.readBytes('h.0.qweight'), bytes);
  await written.close();
  const warnings = events.flatMap(event => (event.type === 'warning' ? [event.message] : []));
  assert.match(warnings.join('\n'), /quantised by GPTQ .* converted as they are/);
});

test('what cannot be read as numbers is refused before anything is written', async () => {
  const folder = temporaryFolder();
  const { context } = recorded();
  await assert.rejects(
    convert(context, toSafetensors(fixture('formats/gguf/kinds.gguf'), join(folder, 'out'))),
    /quantised as IQ1_S, which cannot be read/,
  );
  assert.deepEqual(entries(folder), []);
});

test('the checkpoint itself is never replaced by what is made of it', async () => {
  const folder = temporaryFolder();
  cpSync(fixture('hf/gpt2'), join(folder, 'model'), { recursive: true });
  const { context } = recorded();
  for (const out of [join(folder, 'model'), folder]) {
    await assert.rejects(
      convert(context, {
        ...toSafetensors(join(folder, 'model', 'model.safetensors'), out),
        overwrite: true,
      }),
      /holds the checkpoint itself/,
    );
  }
});

test('a conversion that is stopped in the middle leaves nothing', async () => {
  const folder = temporaryFolder();
  const { context } = recorded();
  const controller = new AbortController();
  let calls = 0;
  const progress = (): void => {
    if (++calls === 3) controller.abort();
  };
  await assert.rejects(
    convert(
      { ...context, signal: controller.signal, progress },
      toSafetensors(fixture('hf/llama'), join(folder, 'out')),
    ),
    InterruptedError,
  );
  assert.equal(calls, 3);
  assert.deepEqual(entries(folder), []);
});

test('a source that changes meanwhile ends the conversion without a result', async () => {
  const folder = temporaryFolder();
  cpSync(fixture('hf/gpt2'), join(folder, 'model'), { recursive: true });
  const { context } = recorded();
  const file = join(folder, 'model', 'model.safetensors');
  const progress = (): void => {
    const bytes = readFileSync(file);
    rmSync(file);
    writeFileSync(file, bytes);
  };
  await assert.rejects(
    convert({ ...context, progress }, toSafetensors(join(folder, 'model'), join(folder, 'out'))),
    /was changed or replaced/,
  );
  assert.deepEqual(entries(folder), ['model']);
});
