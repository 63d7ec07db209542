import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { colorTable, type Rgb } from '../../webview/heatmap/colorMaps';
import { matrixOf } from '../../webview/heatmap/matrix';
import { patience } from '../support/patience';
import { colorOf, limitOf } from '../../webview/heatmap/scale';
import { skip, startHarness, themes, type Harness } from './harness/browser';
import { eventsOf, runAt, summaryAt } from './harness/recorded';

const options = { type: 'options', options: { strings: {}, colorMap: 'RdBu' } };
const large = 'canvas.heatmap-canvas';

async function openRun(harness: Harness, step: number, theme?: (typeof themes)[number]) {
  const view = await harness.open('run', theme === undefined ? {} : { theme });
  await view.send(options);
  await view.send({ type: 'run', run: runAt(step) });
  return view;
}

describe('the run panel', { skip }, () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness();
  });
  after(() => harness.close());

  for (const theme of themes) {
    it(`is clean in ${theme}, running and done`, async () => {
      const view = await openRun(harness, 14, theme);
      await view.screenshot(`run-running-${theme}`);
      await view.assertClean();
      await view.send({ type: 'run', run: runAt(20) });
      await view.screenshot(`run-done-${theme}`);
      await view.assertClean();
    });
  }

  it('is clean on a narrow editor column', async () => {
    const view = await harness.open('run', { width: 480 });
    await view.send(options);
    await view.send({ type: 'run', run: runAt(20) });
    await view.screenshot('run-narrow');
    await view.assertClean();
  });

  it('paints thumbnails in the colours of the values', async () => {
    const view = await openRun(harness, 20, 'light');
    const snapshots = eventsOf('operators');
    const last = snapshots.at(-1)!;
    const table = colorTable('RdBu');
    for (const name of ['depth.q.weight', 'depth.fc2.bias', 'width.residual', 'width.ffn.3']) {
      const all = snapshots.map(({ operators }) =>
        matrixOf(operators.find(operator => operator.name === name)!),
      );
      const matrix = matrixOf(last.operators.find(operator => operator.name === name)!);
      const limit = limitOf(
        all.map(({ values }) => values),
        'maximum',
      );
      const drawn = await view.ask<{ width: number; height: number; data: number[] }>(
        `harness.pixels('canvas.thumbnail[data-operator="${name}"]')`,
      );
      assert.deepEqual([drawn.width, drawn.height], [matrix.columns, matrix.rows]);
      matrix.values.forEach((value, index) => {
        const pixel = drawn.data.slice(index * 4, index * 4 + 3);
        assert.deepEqual(pixel, colorOf(value, { limit }, table), `${name} cell ${index}`);
      });
    }
  });

  it('shows NaN in its own colour, counts it, and says where it is', async () => {
    const view = await harness.open('run', { theme: 'light' });
    await view.send(options);
    const run = runAt(20);
    const values: (number | null)[] = [1, -1, 0, null, 0.5, -0.5];
    const operator = {
      name: 'depth.x',
      group: 'depth',
      shape: [2, 3],
      rows: 2,
      columns: 3,
      values,
    };
    await view.send({
      type: 'run',
      run: { ...run, snapshots: [{ step: 1, operators: [operator] }] },
    });
    const table = colorTable('RdBu');
    const box = (await view.page.locator(large).boundingBox())!;
    // The plot area: beside the indices, cells square and centred.
    const area = { left: 34, top: 22, width: box.width - 44, height: box.height - 32 };
    const cell = Math.min(area.width / 3, area.height / 2);
    const left = area.left + (area.width - cell * 3) / 2;
    const top = area.top + (area.height - cell * 2) / 2;
    for (const [index, value] of values.entries()) {
      const x = (left + ((index % 3) + 0.2) * cell) / box.width;
      const y = (top + (Math.floor(index / 3) + 0.2) * cell) / box.height;
      const pixel = await view.ask<Rgb>(`harness.pixel('${large}', ${x}, ${y})`);
      assert.deepEqual(pixel, colorOf(value ?? NaN, { limit: 1 }, table), `cell ${index}`);
    }
    assert.match(await view.page.locator('.legend').innerText(), /1 not finite/);
    await view.page.locator(large).focus();
    for (const key of ['ArrowDown', 'ArrowDown']) await view.page.keyboard.press(key);
    assert.match(await view.announced(), /large layer 1, small layer 0: NaN/);
    await view.screenshot('heatmap-nan');
    await view.assertClean();
  });

  it('moves a cursor over heatmap and chart by keyboard and says what is there', async () => {
    const view = await openRun(harness, 20);
    await view.page.locator(large).focus();
    await view.page.keyboard.press('ArrowRight');
    assert.match(await view.announced(), /large layer 0, small layer 0: /);
    await view.page.keyboard.press('ArrowRight');
    await view.page.keyboard.press('+');
    assert.match(await view.announced(), /large layer 0, small layer 1: /);
    await view.screenshot('heatmap-cursor');
    await view.page.locator('.chart-stage').focus();
    await view.page.keyboard.press('Home');
    assert.match(await view.announced(), /step 1 · batch loss 6\.6/);
    await view.page.keyboard.press('ArrowRight');
    assert.match(await view.announced(), /step 2 · batch loss 5\.8/);
  });

  it('opens an operator from the grid and asks for exact values when looked at closer', async () => {
    const view = await openRun(harness, 20);
    await view.page
      .locator('button.tile', { has: view.page.locator('[data-operator="width.ffn.0"]') })
      .click();
    await view.ask('harness.settle()');
    assert.equal(await view.page.locator(large).getAttribute('data-operator'), 'width.ffn.0');
    assert.ok(!(await view.posted()).some(({ type }) => type === 'exactOperator'));
    await view.page.getByRole('button', { name: 'Zoom in' }).click();
    assert.deepEqual((await view.posted()).at(-1), { type: 'exactOperator', name: 'width.ffn.0' });
    await view.screenshot('heatmap-width');
    await view.ask(
      `harness.send({ type: 'exactOperator', name: 'width.ffn.0', shape: [128, 256], values: Float32Array.from({ length: 128 * 256 }, (_, index) => Math.sin(index / 400)) })`,
    );
    await view.ask('harness.settle()');
    const label = await view.page.locator(large).getAttribute('aria-label');
    assert.equal(label, 'width.ffn.0, 128 rows, 256 columns');
    await view.assertClean();
  });

  it('is walked and played by keyboard', { timeout: patience }, async () => {
    const view = await openRun(harness, 20);
    await view.page.locator('button.tile').first().focus();
    for (const key of ['ArrowRight', 'ArrowRight', 'Enter']) await view.page.keyboard.press(key);
    await view.ask('harness.settle()');
    assert.equal(await view.page.locator(large).getAttribute('data-operator'), 'depth.k.weight');
    await view.ask(`{
      window.shown = [];
      const step = document.querySelector('.timeline-step');
      new MutationObserver(() => window.shown.push(step.textContent))
        .observe(step, { childList: true, characterData: true, subtree: true });
    }`);
    await view.page.getByRole('button', { name: 'Play the learning' }).focus();
    await view.page.keyboard.press('Enter');
    // Each step is shown for a moment: what was shown is looked at when the end is reached.
    const shown = () => view.ask<string[]>('window.shown');
    let texts = await shown();
    while (texts.length < 2 || texts.at(-1) !== 'step 20') {
      await view.page.waitForTimeout(100);
      texts = await shown();
    }
    const steps = texts.map(text => Number(/\d+/.exec(text)![0]));
    assert.ok(steps.length > 2, String(steps));
    assert.deepEqual(
      steps.toSorted((a, b) => a - b),
      steps,
    );
  });

  it('smooths from the first position of the slider on, another window at each', async () => {
    const view = await openRun(harness, 20);
    const text = view.page.locator('.smoothing-window');
    await view.ask('harness.settle()');
    const seen = [await text.innerText()];
    const slider = view.page.getByRole('slider', { name: 'Smoothing' });
    await slider.focus();
    const last = Number(await slider.getAttribute('max'));
    for (let position = 1; position <= last; position++) {
      await view.page.keyboard.press('ArrowRight');
      await view.ask('harness.settle()');
      seen.push(await text.innerText());
    }
    assert.deepEqual(seen, ['off', '3 steps', '5 steps', '7 steps']);
    await view.screenshot('run-smoothed');
  });

  it('shows the ends of operator names, and how many operators have no picture', async () => {
    const view = await harness.open('run', { width: 480 });
    await view.send(options);
    const run = runAt(20);
    const { step, operators } = run.snapshots.at(-1)!;
    const [first] = operators;
    const name = 'depth.attention.output.with.a.long.name.LayerNorm.weight';
    const snapshots = (omitted: number) => [
      { step, omitted, operators: [{ ...first, group: 'depth', name }, ...operators] },
    ];
    await view.send({ type: 'run', run: { ...run, snapshots: snapshots(1) } });
    await view.page.getByText('1 more operator has no picture here.').waitFor();
    await view.send({ type: 'run', run: { ...run, snapshots: snapshots(42) } });
    await view.page.getByText('42 more operators have no picture here.').waitFor();
    const tile = view.page.locator('button.tile', {
      has: view.page.locator(`[data-operator="${name}"]`),
    });
    const caption = tile.locator('.end-shown');
    assert.equal(await caption.getAttribute('title'), name.slice('depth.'.length));
    // Where it is cut, the beginning goes: the end of the text stands at the right edge.
    const ends = await caption.evaluate(node => {
      const inner = node.firstElementChild!.getBoundingClientRect();
      const outer = node.getBoundingClientRect();
      return { cut: inner.left < outer.left - 1, right: Math.abs(inner.right - outer.right) };
    });
    assert.deepEqual({ ...ends, right: ends.right < 1 }, { cut: true, right: true });
    await tile.click();
    const title = view.page.locator('.operator-title');
    assert.equal(await title.innerText(), name);
    assert.ok(await title.evaluate(node => node.scrollWidth <= node.clientWidth), 'it wraps');
    await view.screenshot('run-names');
    await view.assertClean();
  });

  it('takes increments, repeats and a resumed run', async () => {
    const view = await openRun(harness, 7);
    const run = runAt(20);
    const append = (from: number, to: number) =>
      view.send({
        type: 'append',
        summary: summaryAt(to),
        steps: run.curve.steps.slice(from, to),
        losses: run.curve.losses.slice(from, to),
        snapshots: run.snapshots.filter(({ step }) => step > from && step <= to),
        evaluations: [],
      });
    await append(7, 14);
    await append(5, 14);
    const rows = view.page.locator('.chart-stage ~ div > table tbody tr');
    assert.equal(await rows.count(), 14 + 2, 'fourteen steps, two held-out losses');
    assert.equal(await view.page.locator('.timeline-slider').getAttribute('max'), '2');
    assert.equal(await view.page.locator('.timeline-step').innerText(), 'step 14');
  });

  it('exports chart and operator through the host', async () => {
    const view = await openRun(harness, 20);
    for (const what of ['the operator', 'the loss curve']) {
      for (const format of ['png', 'svg', 'csv']) {
        const label = `Save ${what} as ${format.toUpperCase()}`;
        await view.page.getByRole('button', { name: label }).click();
        const message = (await view.posted()).at(-1) as Record<string, string>;
        assert.equal(message['type'], 'export');
        assert.equal(message['format'], format);
        assert.match(message['name']!, new RegExp(`^[\\w.-]+\\.${format}$`));
        const content = message['content']!;
        if (format === 'png')
          assert.equal(Buffer.from(content, 'base64').toString('latin1', 1, 4), 'PNG');
        else if (format === 'svg') assert.match(content, /^<svg [^]*<\/svg>\n$/);
        else assert.ok(content.split('\n').length > 5);
      }
    }
  });

  it('remembers choices over a reload and follows a change of theme', async () => {
    const view = await openRun(harness, 20);
    await view.page.locator('.timeline-slider').focus();
    await view.page.keyboard.press('Home');
    await view.page.getByRole('checkbox', { name: 'Log scale' }).click();
    await view.page.reload();
    await view.send(options);
    await view.send({ type: 'run', run: runAt(20) });
    assert.equal(await view.page.locator('.timeline-step').innerText(), 'step 1');
    assert.ok(await view.page.getByRole('checkbox', { name: 'Log scale' }).isChecked());
    assert.match(await view.ask('sessionStorage.getItem("state /page/run")'), /"run":"run-1"/);
    const pixel = `harness.pixels('canvas.thumbnail[data-operator="depth.q.weight"]').data.slice(4, 7)`;
    const dark = await view.ask<number[]>(pixel);
    await view.ask(`document.body.className = 'vscode-light in-editor'`);
    await view.ask('harness.settle()');
    await view.ask('harness.settle()');
    const light = await view.ask<number[]>(pixel);
    assert.notDeepEqual(light, dark);
    await view.assertClean();
  });

  it('redraws 768 × 512 while the slider is dragged, and tells at how many frames a second', async t => {
    const view = await harness.open('run');
    await view.send(options);
    const rows = 768;
    const columns = 512;
    await view.ask(`harness.send({ type: 'run', run: {
      ...${JSON.stringify({ ...runAt(20), snapshots: [] })},
      snapshots: Array.from({ length: 8 }, (_, time) => ({
        step: time + 1,
        operators: [{
          name: 'width.ffn.0', group: 'width', shape: [${rows}, ${columns}], rows: ${rows}, columns: ${columns},
          values: Array.from({ length: ${rows * columns} }, (_, index) => Math.sin(index / 999 + time)),
        }],
      })),
    } })`);
    await view.ask('harness.settle()');
    await view.ask('harness.dragSlider(500)');
    const picture = () => view.ask<string>(`document.querySelector('${large}').toDataURL()`);
    const before = await picture();
    const drag = await view.ask<{ framesPerSecond: number; longest: number }>(
      'harness.dragSlider(2000)',
    );
    const rate = drag.framesPerSecond.toFixed(1);
    t.diagnostic(`${rate} frames/s, longest frame ${drag.longest.toFixed(0)} ms`);
    await view.page.locator('.timeline-slider').focus();
    await view.page.keyboard.press('Home');
    await view.ask('harness.settle()');
    assert.notEqual(await picture(), before);
    await view.screenshot('heatmap-768x512');
  });

  it('is zoomed into 3072 × 1024 and out again, and tells at how many frames a second', async t => {
    const view = await openRun(harness, 20);
    await view.ask(`harness.send({ type: 'run', run: {
      ...${JSON.stringify({ ...runAt(20), snapshots: [] })},
      snapshots: [{ step: 1, operators: [{
        name: 'width.ffn.0', group: 'width', shape: [3072, 1024], rows: 3072, columns: 1024,
        values: Array.from({ length: 3072 * 1024 }, (_, index) => Math.sin(index / 999)),
      }] }],
    } })`);
    await view.ask('harness.settle()');
    await view.page.locator(large).focus();
    const measure = () =>
      view.ask<number>(`(async () => {
      const canvas = document.querySelector('${large}');
      const start = performance.now();
      for (let frame = 0; frame < 60; frame++) {
        canvas.dispatchEvent(new WheelEvent('wheel', { deltaY: frame < 30 ? -80 : 80, cancelable: true }));
        await new Promise(resolve => requestAnimationFrame(resolve));
      }
      return (performance.now() - start) / 60;
    })()`);
    const picture = () => view.ask<string>(`document.querySelector('${large}').toDataURL()`);
    const before = await picture();
    t.diagnostic(`${(1000 / (await measure())).toFixed(1)} frames/s`);
    await view.page.keyboard.press('+');
    await view.ask('harness.settle()');
    assert.notEqual(await picture(), before);
    await view.page.keyboard.press('0');
    await view.ask('harness.settle()');
    assert.equal(await picture(), before);
  });
});
