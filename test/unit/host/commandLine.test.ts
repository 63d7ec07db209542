import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growCommandLine, shellArgument } from '../../../src/host/wizard/commandLine';
import type { GrowthRequest } from '../../../src/protocol/runFolder';

const request: GrowthRequest = {
  ...{ version: 1, id: 'a', title: 't', created: 0, kind: 'grow', engine: 'auto' },
  ...{ checkpoint: '/models/my bert', target: { layers: 6, hidden: 96, ffn: 400 } },
  ...{ out: "/out/it's", resume: false, overwrite: false, method: 'ligo', steps: 50, seed: 3 },
  ...{ data: { path: '/data/a.txt', batchSize: 8, sequenceLength: 64 }, recompute: true },
};

test('a growth is told as the command that makes it, in the words of a POSIX shell', () => {
  assert.equal(
    growCommandLine(request, 'linux'),
    "ligo grow '/models/my bert' --layers 6 --hidden 96 --ffn 400 --method ligo --data /data/a.txt" +
      " --batch 8 --sequence-length 64 --steps 50 --recompute --seed 3 --engine auto --out '/out/it'\\''s'",
  );
});

test('a growth without data is told without steps', () => {
  const bare = { ...request, method: 'net2net' } as { data?: object } & typeof request;
  delete (bare as { data?: object }).data;
  assert.doesNotMatch(growCommandLine(bare, 'linux'), /--steps|--data|--batch/);
});

test('paths of Windows stay as they are, in double quotes where they must', () => {
  assert.equal(shellArgument('C:\\models\\bert', 'win32'), 'C:\\models\\bert');
  assert.equal(shellArgument('C:\\my models', 'win32'), '"C:\\my models"');
  assert.equal(shellArgument('$(reboot)', 'linux'), "'$(reboot)'");
  assert.equal(shellArgument('a\\b', 'linux'), "'a\\b'");
});
