import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { assertQuiet } from '../support/editor/assertQuiet';
import { journey } from '../support/editor/journey';
import { ProgressPage, RunPage } from '../support/editor/pages';
import { answerUpToPlan, shortGrowth } from '../support/editor/wizard';

const grown = 'llama-kjv-grown-6x96';

journey('growing a Llama in the workbench', { screenshots: 'llama-' }, step => {
  step('its plan tells of heads that share keys and values', async ({ bench }) => {
    await bench.openContainer('LiGO');
    const row = bench.treeRow('Checkpoints', 'llama-kjv');
    await row.filter({ hasText: /llama · 3 × 64/ }).waitFor();
    await bench.openContextMenu(row);
    await bench.chooseFromMenu('Grow Model…');
    await answerUpToPlan(bench, shortGrowth);
    const { quickInput } = bench;
    await quickInput.row('for 40 steps').waitFor();
    await bench.screenshot('1-plan');
    await quickInput.choose('More…');
    await quickInput.row('Key-Value Heads…').waitFor();
    await bench.screenshot('2-more');
    await quickInput.choose('Back to the Plan');
    await quickInput.row('for 40 steps').waitFor();
    await quickInput.choose('Start Growing');
    await quickInput.isHidden();
  });

  step('its run panel says which operators map heads', async ({ bench }) => {
    const progress = await ProgressPage.open(bench);
    await progress.endsDone();
    await progress.press('Open');
    const page = await RunPage.find(bench);
    await page.thumbnail('width.query.3').click();
    const cell = page.tooltip.filter({ hasText: /new head \d, small head \d/ });
    // A past run's panel may be drawn anew while its operators arrive, and loses focus and cursor then.
    for (let presses = 0; presses < 60 && !(await cell.isVisible()); presses++) {
      await page.heatmap.press('ArrowDown');
      await bench.page.waitForTimeout(200);
    }
    assert.ok(await cell.isVisible(), 'the heatmap tells of heads under its cursor');
    await page.heatmap.scrollIntoViewIfNeeded();
    await bench.screenshot('3-operators');
  });

  step('its checkpoint has whole groups of heads more', async ({ bench, workspace }) => {
    await bench.openContainer('LiGO');
    await bench.treeRow('Checkpoints', grown).filter({ hasText: '6 × 96' }).waitFor();
    const config = JSON.parse(readFileSync(workspace.path(grown, 'config.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    assert.deepEqual(
      ['num_attention_heads', 'num_key_value_heads', 'head_dim'].map(field => config[field]),
      [12, 6, 8],
    );
    await bench.treeRow('Checkpoints', grown).click();
    const inspector = await bench.webview('ligo-inspector', new RegExp(grown));
    await inspector.getByText('LlamaForCausalLM').first().waitFor();
    await bench.screenshot('4-grown');
  });

  step('nothing left the machine and no page broke its policy', assertQuiet);
});
