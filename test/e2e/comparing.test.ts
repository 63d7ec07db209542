import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { assertQuiet } from '../support/editor/assertQuiet';
import { asItGoesOn } from '../support/editor/goingOn';
import { journey } from '../support/editor/journey';
import { buttonIn, ProgressPage } from '../support/editor/pages';
import { themes } from '../support/editor/settings';

const output = 'gpt2-kjv-compared-6x96';

/** Collects every line that a page shows from now on: what passes quickly is not to be waited for. */
const collectLines = `
  globalThis.shownLines = new Set();
  const collect = () => {
    for (const line of document.body.innerText.split('\\n')) shownLines.add(line.trim());
  };
  collect();
  new MutationObserver(collect).observe(document.body, {
    subtree: true, childList: true, characterData: true,
  });
  undefined`;

journey('comparing growth methods in the workbench', { screenshots: 'comparing-' }, step => {
  let ended = 0;
  let started = 0;

  step('Compare Growth Methods asks one thing at a time and shows the plan', async ({ bench }) => {
    await bench.openContainer('LiGO');
    await bench.treeRow('Checkpoints', 'gpt2-kjv').waitFor();
    const labels = await bench.openContextMenu(bench.treeRow('Checkpoints', 'gpt2-kjv'));
    const at = labels.indexOf('Compare Growth Methods…');
    assert.equal(labels[at - 1], 'Grow Model…');
    await bench.chooseFromMenu('Compare Growth Methods…');
    const { quickInput } = bench;
    await quickInput.step('2/8');
    await quickInput.choose('Deeper and wider');
    await quickInput.step('3/8');
    await quickInput.choose('kjv.txt');
    await quickInput.step('4/8');
    const row = (text: string) => quickInput.row(text);
    await row('Random (from scratch)').waitFor();
    await bench.screenshot('1-methods');
    const check = (text: string) =>
      row(text).locator('.monaco-checkbox[aria-checked=true], input:checked');
    await check('Random (from scratch)').waitFor();
    await check('LiGO').waitFor();
    // From elsewhere, so that no row's tooltip lies under the pointer.
    const toggle = async (text: string): Promise<void> => {
      await bench.page.mouse.move(0, 0);
      await row(text).click();
    };
    // What savings are counted against cannot be left out: the extension puts it back.
    await toggle('Random (from scratch)');
    // Nothing shows that it was gone in between, so this gives it the time to be.
    await bench.page.waitForTimeout(500);
    await check('Random (from scratch)').waitFor();
    for (const method of ['bert2BERT', 'Net2Net']) {
      await toggle(method);
      await check(method).waitFor({ state: 'detached' });
    }
    await bench.page.keyboard.press('Enter');
    await quickInput.step('5/8');
    await quickInput.answer('120');
    await quickInput.step('6/8');
    await quickInput.answer('2');
    await quickInput.step('7/8');
    await quickInput.back();
    await quickInput.step('6/8');
    await quickInput.answer('2');
    await quickInput.step('7/8');
    await quickInput.answer('1');
    await quickInput.step('8/8');
    await quickInput.row('without evaluations').waitFor();
    await quickInput.row('Suits the model').waitFor();
    await bench.screenshot('2-plan');
    const plan = await quickInput.lines();
    assert.match(plan, /3 runs · 3 methods · 1 seed · 120 steps each/);
    assert.match(plan, /FLOP/);
    started = Date.now();
    await quickInput.choose('Start Comparing');
    await quickInput.isHidden();
  });

  step(
    'the panel shows all curves while they are made, and where each run stands',
    async ({ bench }) => {
      const progress = await ProgressPage.open(bench);
      await progress.press('Open');
      const page = await bench.webview('ligo-run');
      await page.evaluate(collectLines);
      await bench.screenshot('3-live');
      await bench.chooseTheme(themes[0]);
      await bench.screenshot('4-live-light');
      await asItGoesOn(buttonIn(page, 'Open Report'), () => page.locator('body').innerText());
      const lines = await page.evaluate<string[]>('[...shownLines]');
      const told = lines.filter(line =>
        /^run \d of 3: .+, seed 0, (learning operators, )?step \d+ of \d+$/.test(line),
      );
      assert.ok(told.length > 1, lines.join('\n'));
      assert.ok(
        lines.some(line => /\btraining\b/.test(line)),
        lines.join('\n'),
      );
    },
  );

  step('the report opens in the editor once all runs ended', async ({ bench, workspace }) => {
    const page = await bench.webview('ligo-run');
    ended = Date.now();
    assert.ok(existsSync(workspace.path(output, 'report.html')));
    assert.equal(await page.locator('tr', { hasText: 'finished' }).count(), 3);
    await page.getByText(/The trained model of the winner is kept beside the report: /).waitFor();
    await bench.screenshot('5-done-light');
    await buttonIn(page, 'What Next…').click();
    await bench.quickInput.row('Open Receipt').waitFor();
    await bench.page.keyboard.press('Escape');
    await bench.quickInput.isHidden();
    await buttonIn(page, 'Open Report').click();
    const report = await bench.webview('ligo-report', 'What each method saves');
    const background = (): Promise<string> =>
      report.evaluate('getComputedStyle(document.body).backgroundColor');
    assert.equal(await background(), 'rgb(255, 255, 255)');
    await bench.screenshot('6-report-light');
    await bench.chooseTheme(themes[1]);
    // The panel is made anew for another theme: a frame may go while it is asked.
    const shownBackground = async (): Promise<unknown> => {
      const shown = await bench.webview('ligo-report', 'What each method saves');
      return shown
        .evaluate('getComputedStyle(document.body).backgroundColor')
        .catch((error: unknown) => {
          if (!/detached/.test(String(error))) throw error;
        });
    };
    while ((await shownBackground()) !== 'rgb(22, 24, 27)') await bench.page.waitForTimeout(50);
    await bench.screenshot('7-report-dark');
  });

  step('the progress view keeps it among the earlier runs', async ({ bench }) => {
    const progress = await ProgressPage.open(bench);
    const past = progress.past.filter({ hasText: 'Comparison' });
    await past.filter({ hasText: 'Done' }).waitFor();
    await bench.screenshot('8-past');
  });

  step('the extension host was never blocked for long while it went on', ({ server }) => {
    const long = server
      .facts()
      .blocked.filter(({ time, busy }) => time > started && time < ended && busy > 50);
    assert.deepEqual(long, []);
  });

  step('nothing left the machine and no page broke its policy', assertQuiet);
});
