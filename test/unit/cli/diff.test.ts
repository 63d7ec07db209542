import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CheckpointDifference } from '../../../src/protocol/differences';
import { temporaryFolder } from '../checkpoint/files';
import { cli } from './support';

const file = (name: string): string => fileURLToPath(new URL(`../../../${name}`, import.meta.url));
const before = file('test/fixtures/difference/before.safetensors');
const after = file('test/fixtures/difference/after.safetensors');
const parent = file('examples/gpt2-kjv');

test('diff sums up what became of the tensors, and lists all of them on request', async () => {
  const { code, stdout } = await cli('diff', before, after);
  assert.equal(code, 0);
  assert.match(stdout, /in the first alone +1\n/);
  assert.match(stdout, /in the second alone +1\n/);
  assert.match(stdout, /of another shape +1\n/);
  assert.match(stdout, /identical +4\n/);
  assert.match(stdout, /not finite and left out: 2 in the first, 2 in the second/);
  assert.match(stdout, /Moved most \(--tensors lists all\):/);
  const listed = await cli('diff', before, after, '--tensors');
  assert.match(listed.stdout, /reshaped +of another shape +F32 +\[3, 2\] → \[3, 4\]\n/);
  assert.match(listed.stdout, /retyped +of another type +F32 → BF16/);
  assert.match(listed.stdout, /transformer\.h\.0\.ln_1\.gamma = h\.0\.ln_1\.weight +identical/);
  assert.match(listed.stdout, /zero\.then\.not .* Infinity +NaN +4\n/);
});

test('diff of a checkpoint with itself finds nothing', async () => {
  const { stdout } = await cli('diff', parent, parent);
  assert.match(stdout, /identical +40\nall compared +moved by 0 /);
  assert.doesNotMatch(stdout, /Moved most|another/);
});

test('diff compares a grown model with the one it was grown from', async t => {
  const out = join(await temporaryFolder(t), 'grown');
  const grown = await cli('grow', parent, '--layers', '4', '--method', 'stack', '--out', out);
  assert.equal(grown.code, 0, grown.stderr);
  const { stdout } = await cli('diff', parent, out, '--json');
  const { tensors } = JSON.parse(stdout) as CheckpointDifference;
  const names = (change: string) =>
    tensors.filter(tensor => tensor.change === change).map(tensor => tensor.after?.name ?? '');
  assert.ok(names('added').length > 0);
  assert.ok(names('added').every(name => name.includes('.h.3.')));
  assert.equal(names('removed').length + names('reshaped').length, 0);
  assert.ok(names('identical').some(name => name.includes('.h.0.')));
});

test('inspect --export writes one tensor, and says of what type and shape it is', async t => {
  const to = join(await temporaryFolder(t), 'out.npy');
  const { code, stdout } = await cli('inspect', before, '--export', 'moved', '--to', to);
  assert.equal(code, 0);
  assert.equal(stdout, `Wrote ${to}: F32 [7, 11].\n`);
  const saved = readFileSync(file('test/fixtures/difference/moved.npy'));
  assert.deepEqual(readFileSync(to), saved);
  const again = await cli('inspect', before, '--export', 'moved', '--to', to);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /already exists\.\nPass --overwrite to replace it/);
  const told = await cli(
    'inspect',
    before,
    ...['--export', 'moved.bf16', '--to', to],
    '--overwrite',
    '--json',
  );
  assert.deepEqual(JSON.parse(told.stdout), {
    tensor: 'moved.bf16',
    file: to,
    format: 'npy',
    type: 'F32',
    shape: [5, 3, 4],
    matrix: [15, 4],
    notes: ['NumPy has no BF16: written as F32, value by value.'],
  });
});

test('options that make no export together are refused', async () => {
  const wrong = [
    ['--export', 'moved'],
    ['--to', 'out.npy'],
    ['--overwrite'],
    ['--export', 'moved', '--to', 'out.npy', '--tensors'],
  ];
  for (const options of wrong) {
    const { code, stderr } = await cli('inspect', before, ...options);
    assert.equal(code, 2, options.join(' '));
    assert.match(stderr, /belong together|one of them/);
  }
});
