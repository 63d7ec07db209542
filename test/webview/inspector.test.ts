import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { skip, startHarness, themes, type Harness, type TestedPage } from './harness/browser';
import { checkpoint, statistics } from './harness/recorded';

const options = { type: 'options', options: { strings: {}, colorMap: 'PuOr' } };

/** Finds a tensor by the filter and clicks it. */
async function choose(view: TestedPage, name: string): Promise<void> {
  await view.page.getByRole('textbox').fill(name);
  await view.page.locator('.tensor .name', { hasText: name }).first().click();
  await view.page.getByRole('textbox').fill('');
}

describe('the inspector', { skip }, () => {
  let harness: Harness;
  before(async () => {
    harness = await startHarness();
  });
  after(() => harness.close());

  for (const theme of themes) {
    it(`is clean in ${theme} with a tensor's statistics`, async () => {
      const view = await harness.open('inspector', { theme });
      await view.send(options);
      await view.send({ type: 'checkpoint', checkpoint });
      await choose(view, statistics.name);
      await view.page.getByText('Reading…').waitFor();
      await view.ask('harness.untilPosted(2)');
      assert.deepEqual((await view.posted()).at(-1), { type: 'statistics', name: statistics.name });
      await view.send({ type: 'statistics', statistics });
      await view.screenshot(`inspector-${theme}`);
      await view.assertClean();
    });
  }

  it('shows problems, metadata and what is left out, also in a narrow column', async () => {
    const view = await harness.open('inspector', { width: 420 });
    await view.send(options);
    await view.send({
      type: 'checkpoint',
      checkpoint: {
        ...checkpoint,
        problems: [
          { message: 'model-00002.safetensors is missing.', remedy: 'Download it again.' },
        ],
        ignored: [
          { name: 'bert.pooler.dense.weight', reason: 'the masked-language head has no use' },
        ],
      },
    });
    await view.page.getByText('Tensors that are left out (1)').click();
    await view.screenshot('inspector-narrow');
    await view.assertClean();
  });

  it('filters, sorts and walks 100,000 tensors with no more rows than can be seen', async t => {
    const view = await harness.open('inspector');
    await view.send(options);
    await view.ask(`(async () => {
      const tensors = Array.from({ length: 100000 }, (_, index) => ({
        name: 'layer.' + index + '.weight', type: index % 2 ? 'F32' : 'BF16', shape: [index % 777, 64], bytes: index * 256,
      }));
      harness.send({ type: 'checkpoint', checkpoint: { ...${JSON.stringify(checkpoint)}, tensors } });
      await harness.settle();
    })()`);
    const measure = () =>
      view.ask<number>(`(async () => {
      const body = document.querySelector('.tensor-table');
      const start = performance.now();
      for (let frame = 0; frame < 60; frame++) {
        body.scrollTop += 1500;
        await new Promise(resolve => requestAnimationFrame(resolve));
      }
      return (performance.now() - start) / 60;
    })()`);
    t.diagnostic(`${(1000 / (await measure())).toFixed(1)} frames/s while scrolling`);
    assert.ok((await view.page.locator('.tensor').count()) < 120, 'only rows that can be seen');
    await view.page.getByRole('grid').focus();
    await view.page.keyboard.press('End');
    await view.ask('harness.settle()');
    assert.equal(
      await view.page.locator('[aria-selected=true] .name').innerText(),
      'layer.99999.weight',
    );
    await view.page.getByRole('textbox').fill('99999 f32');
    await view.page.getByText('1 of 100,000').waitFor();
    await view.page.getByRole('textbox').fill('');
    await view.page.getByRole('button', { name: 'Size' }).click();
    await view.page.getByRole('button', { name: 'Size' }).click();
    const header = view.page.getByRole('columnheader', { name: 'Size' });
    assert.equal(await header.getAttribute('aria-sort'), 'descending');
    await view.page.getByRole('grid').focus();
    await view.page.keyboard.press('Home');
    await view.page.keyboard.press('ArrowDown');
    await view.ask('harness.settle()');
    assert.equal(
      await view.page.locator('[aria-selected=true] .name').innerText(),
      'layer.99998.weight',
    );
    await view.screenshot('inspector-many');
    await view.assertClean();
  });

  it('says so when no tensor fits the filter, and shows all of a long name', async () => {
    const view = await harness.open('inspector', { width: 520 });
    await view.send(options);
    const name = 'bert-base-multilingual-cased-grown-to-24-layers-by-1152-with-every-layer-learned';
    await view.send({ type: 'checkpoint', checkpoint: { ...checkpoint, name } });
    const heading = view.page.getByRole('heading', { name });
    const cut = await heading.evaluate(node => node.scrollWidth > node.clientWidth);
    assert.equal(cut, false, 'the name wraps');
    await view.page.getByRole('textbox').fill('no such tensor');
    await view.page
      .getByText('No tensor has “no such tensor” in its name, type or shape.')
      .waitFor();
    await view.page.getByRole('grid').waitFor({ state: 'hidden' });
    await view.screenshot('inspector-nothing');
    await view.assertClean();
    await view.page.getByRole('textbox').fill('');
    await view.page.getByRole('grid').waitFor();
    await view.page.locator('.tensor').first().waitFor();
  });

  it('shows why a tensor cannot be read, and remembers over a reload', async () => {
    const view = await harness.open('inspector');
    await view.send(options);
    await view.send({ type: 'checkpoint', checkpoint });
    await choose(view, statistics.name);
    await view.ask('harness.untilPosted(2)');
    await view.send({ type: 'failed', message: 'The file has changed.', remedy: 'Open it again.' });
    assert.match(await view.page.getByRole('alert').innerText(), /changed[^]*Open it again/);
    await view.assertClean();
    await view.page.reload();
    await view.send(options);
    await view.send({ type: 'checkpoint', checkpoint });
    assert.deepEqual((await view.posted()).at(-1), { type: 'statistics', name: statistics.name });
  });
});
