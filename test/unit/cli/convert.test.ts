import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConversionReceipt } from '../../../src/protocol/conversion';
import { example, fixture } from '../../support/fixtures';
import { temporaryFolder } from '../run/support';
import { cli } from './support';

test('convert writes a folder of safetensors and says what is in it', async () => {
  const out = join(temporaryFolder(), 'out');
  const { code, stdout, stderr } = await cli(
    'convert',
    fixture('formats/pytorch/sharded'),
    '--out',
    out,
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Wrote .*out: 28 tensors, 9\.6 kB, in model\.safetensors\.$/m);
  assert.match(
    stdout,
    /^Not written: lm_head\.weight \(holds what transformer\.wte\.weight holds\)\.$/m,
  );
  assert.deepEqual(readdirSync(out).sort(), [
    'config.json',
    'conversion.json',
    'model.safetensors',
  ]);
});

test('convert prints its receipt alone as JSON', async () => {
  const out = join(temporaryFolder(), 'out');
  const { code, stdout } = await cli('convert', example('gpt2-kjv'), '--out', out, '--json');
  assert.equal(code, 0);
  const receipt = JSON.parse(stdout) as ConversionReceipt;
  assert.equal(receipt.out, out);
  assert.equal(receipt.source.format, 'safetensors');
  assert.deepEqual(receipt.files, ['model.safetensors']);
});

test('convert writes GGUF as F16 unless another type is asked for', async () => {
  const out = join(temporaryFolder(), 'out');
  const { code, stdout, stderr } = await cli(
    ...['convert', example('gpt2-kjv'), '--out', out, '--format', 'gguf'],
  );
  assert.equal(code, 0, stderr);
  assert.match(stdout, /in gpt2-kjv-F16\.gguf\.$/m);
  assert.ok(existsSync(join(out, 'gpt2-kjv-F16.gguf')));
});

/** Options that do not go together, and what is said of them. */
const usage: readonly (readonly [readonly string[], RegExp])[] = [
  [['--outtype', 'q8_0'], /--outtype is for GGUF files/],
  [['--format', 'gguf', '--max-shard-size', '1GB'], /--max-shard-size divides safetensors/],
  [['--format', 'onnx'], /--format is "onnx"/],
  [['--format', 'gguf', '--outtype', 'q4_k'], /--outtype is "q4_k"/],
];

for (const [options, message] of usage) {
  test(`convert with ${options.join(' ')} is refused as a mistake of usage`, async () => {
    const out = join(temporaryFolder(), 'out');
    const { code, stderr } = await cli('convert', example('gpt2-kjv'), '--out', out, ...options);
    assert.equal(code, 2);
    assert.match(stderr, message);
    assert.equal(existsSync(out), false);
  });
}

test('convert replaces a folder only where that is asked for', async () => {
  const out = join(temporaryFolder(), 'out');
  mkdirSync(out);
  writeFileSync(join(out, 'kept.txt'), 'kept');
  const args = ['convert', example('gpt2-kjv'), '--out', out];
  const refused = await cli(...args);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /already exists and is not empty/);
  assert.deepEqual(readdirSync(out), ['kept.txt']);
  const replaced = await cli(...args, '--overwrite');
  assert.equal(replaced.code, 0, replaced.stderr);
  assert.ok(existsSync(join(out, 'model.safetensors')));
  assert.equal(existsSync(join(out, 'kept.txt')), false);
});

test('what cannot be a GGUF file is refused with the way that is left', async () => {
  const out = join(temporaryFolder(), 'out');
  const { code, stderr } = await cli(
    ...['convert', example('bert-kjv'), '--out', out, '--format', 'gguf'],
  );
  assert.equal(code, 1);
  assert.match(stderr, /family "bert".*convert_hf_to_gguf\.py/s);
  assert.equal(existsSync(out), false);
});
