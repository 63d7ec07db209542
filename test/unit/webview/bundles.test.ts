import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

test('pages have no checks in their bundles: what the host sends is whole', async () => {
  const { metafile } = await build({
    absWorkingDir: fileURLToPath(new URL('../../..', import.meta.url)),
    entryPoints: ['progress', 'run', 'inspector', 'difference'].map(
      page => `webview/${page}/main.ts`,
    ),
    ...{ bundle: true, write: false, metafile: true, outdir: 'out', logLevel: 'silent' },
  });
  const inputs = Object.keys(metafile.inputs);
  assert.ok(inputs.includes('src/protocol/evaluation.ts'));
  assert.deepEqual(
    inputs.filter(path => /node_modules\/zod\/|Schemas\.ts$/.test(path)),
    [],
  );
});
