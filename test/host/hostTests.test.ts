import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { bundleHostTests, runHostTests } from '../support/editor/hostTests';
import type { ServerOptions } from '../support/editor/server';
import { examplesWorkspace, largeWorkspace } from '../support/editor/workspace';
import { example } from '../support/fixtures';
import { servedExample, startHub } from '../support/hubServer';

test('the suites inside the real extension host pass', { timeout: 1_800_000 }, context =>
  passes(context, 'suite'),
);

test('those in a workspace that is not trusted pass', { timeout: 1_800_000 }, context =>
  passes(context, 'restricted', {
    asksForTrust: true,
    settings: { 'security.workspace.trust.startupPrompt': 'never' },
  }),
);

test('those in a workspace of 5,000 files of every format pass', { timeout: 1_800_000 }, context =>
  passes(context, 'large', {}, largeWorkspace(5000)),
);

/** Settings that a workspace that is not trusted may not make; see the restricted suite. */
const planted = {
  'ligo.nodePath': '/bin/false',
  'ligo.engine': 'tfjs',
  'ligo.threads': 1000,
  'ligo.runs.keep': 1,
  'ligo.checkpoints.showGitIgnored': false,
  'ligo.heatmap.colorMap': 'PuOr',
};

async function passes(
  context: TestContext,
  suite: string,
  options: ServerOptions = {},
  workspace = examplesWorkspace(),
): Promise<void> {
  const entry = await bundleHostTests(import.meta.dirname, suite);
  if (options.asksForTrust) {
    mkdirSync(workspace.path('.vscode'));
    writeFileSync(workspace.path('.vscode', 'settings.json'), JSON.stringify(planted));
  }
  // The editor hands on the environment it was started with.
  await using hub = await startHub(servedExample(example('gpt2-kjv')));
  const environment = { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: `${workspace.folder}-hub` };
  try {
    const printed: string[] = [];
    const tell = (line: string): void => {
      printed.push(line);
      context.diagnostic(line);
    };
    const { code, log } = await runHostTests(entry, workspace.folder, tell, {
      ...options,
      environment: { ...environment, ...options.environment },
    });
    assert.equal(code, 0, printed.length > 0 ? printed.join('\n') : log.join('\n'));
    // In a workspace that is not trusted nothing is asked of the network.
    if (options.asksForTrust) assert.deepEqual(hub.requests, []);
    assert.ok(
      printed.some(line => /[1-9]\d* passing/.test(line)),
      `no test ran:\n${log.join('\n')}`,
    );
  } finally {
    workspace.remove();
    rmSync(`${workspace.folder}-hub`, { recursive: true, force: true });
  }
}
