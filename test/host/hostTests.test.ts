import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bundleHostTests, runHostTests } from '../support/editor/hostTests';
import { examplesWorkspace } from '../support/editor/workspace';

test('the suites inside the real extension host pass', { timeout: 240_000 }, async context => {
  const entry = await bundleHostTests(import.meta.dirname);
  const workspace = examplesWorkspace();
  try {
    const printed: string[] = [];
    const { code, log } = await runHostTests(entry, workspace.folder, line => {
      printed.push(line);
      context.diagnostic(line);
    });
    assert.equal(code, 0, printed.length > 0 ? printed.join('\n') : log.join('\n'));
    assert.ok(
      printed.some(line => /[1-9]\d* passing/.test(line)),
      `no test ran:\n${log.join('\n')}`,
    );
  } finally {
    workspace.remove();
  }
});
