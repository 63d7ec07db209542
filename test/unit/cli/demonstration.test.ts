import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { demonstrate } from '../../../src/cli/demonstration';
import type { Receipt } from '../../../src/protocol/events';
import { entries, temporaryFolder } from '../run/support';

it('the demonstration shows what its receipts say, and leaves the grown checkpoints', async t => {
  // A folder of its own for what is temporary: others may show the same at the same time.
  const usual = process.env['TMPDIR'];
  const temporary = temporaryFolder();
  process.env['TMPDIR'] = temporary;
  t.after(() => {
    if (usual === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = usual;
  });
  const out = join(temporaryFolder(), 'demo');
  let text = '';
  const stdout = { write: (part: string) => (text += part) };
  const signal = new AbortController().signal;
  const host = { stdout, stderr: stdout, signal, now: Date.now, script: '' };
  await demonstrate(host, { out, steps: 2, evaluationBatches: 1 });
  assert.deepEqual(entries(out), ['gpt2-kjv-6x96', 'llama-kjv-6x96', 'vit-fmnist-6x96']);
  for (const name of entries(out)) {
    const file = readFileSync(join(out, name, 'growth.json'), 'utf8');
    const { losses } = JSON.parse(file) as Receipt;
    for (const { loss } of [losses!.small, losses!.before!, losses!.after]) {
      assert.ok(text.includes(`  ${loss.toFixed(4)} `), `${name}: ${loss}`);
    }
  }
  assert.equal(text.match(/stacked and copied, nothing learned +\d/g)?.length, 3);
  assert.equal(text.match(/random weights of the same size +\d/g)?.length, 3);
  assert.match(text, /\nNext:\n/);
  assert.deepEqual(
    readdirSync(temporary).filter(name => name.startsWith('ligo-demo-')),
    [],
  );
});
