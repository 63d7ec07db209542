import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('a reader that starts a program or writes outside of its folder is seen by the fuzzer', () => {
  const script = fileURLToPath(new URL('misbehaving.ts', import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script], {
    encoding: 'utf8',
  });
  assert.deepEqual(
    stdout.trim().split('\n'),
    ['it started touch', 'it wrote to /outside (writeFile)', 'it wrote to /outside (open)', 'none'],
    stderr,
  );
});
