import assert from 'node:assert/strict';
import { journey } from '../support/editor/journey';
import { findRuns } from '../support/editor/runs';

journey('an untrusted workspace', { screenshots: 'trust-', asksForTrust: true }, step => {
  step('asks whether to trust it', async ({ bench }) => {
    const question = bench.dialog('Do you trust the authors');
    await question.getByText("No, I don't trust the authors").click();
    await question.waitFor({ state: 'hidden' });
  });

  step('shows its checkpoints and inspects them', async ({ bench }) => {
    await bench.openContainer('LiGO');
    await bench.treeRow('Checkpoints', 'bert-kjv').click();
    const page = await bench.webview('ligo-inspector');
    await page.getByText('bert.embeddings.word_embeddings.weight').first().waitFor();
    await bench.screenshot('1-inspector');
  });

  step('is not trained in, and says why', async ({ bench, server }) => {
    await bench.runCommand('LiGO: Grow Model…');
    const said = bench.page.locator('.notification-list-item, .monaco-dialog-box', {
      hasText: /trust/i,
    });
    await said.first().waitFor();
    await bench.screenshot('2-refused');
    assert.deepEqual(findRuns(server), []);
  });
});
