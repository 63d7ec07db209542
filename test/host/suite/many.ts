import assert from 'node:assert/strict';
import { copyFile, link, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isGroup } from '../../../src/host/checkpoints/checkpointGroups';
import { api, exampleModels, until, workspaceFolder } from './support';

const many = 1500;

suite('a workspace with thousands of checkpoints', () => {
  const folder = (): string => join(workspaceFolder(), 'many');

  suiteTeardown(async () => {
    const { checkpoints } = await api();
    await rm(folder(), { recursive: true, force: true });
    await until('they are forgotten', () => checkpoints.models.length === exampleModels.length, 60);
  });

  test('is listed without holding the editor up', async () => {
    const { checkpoints } = await api();
    const source = join(workspaceFolder(), 'gpt2-kjv');
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    for (let number = 0; number < many; number++) {
      const target = join(folder(), String(number));
      await mkdir(target, { recursive: true });
      await link(join(source, 'model.safetensors'), join(target, 'model.safetensors'));
      await copyFile(join(source, 'config.json'), join(target, 'config.json'));
    }
    await until(
      'all are listed',
      () => checkpoints.models.length === many + exampleModels.length,
      60,
    );
    delay.disable();
    const headings = checkpoints.rows.filter(isGroup).map(({ name, count }) => [name, count]);
    assert.deepEqual(headings, [['many', many]]);
    // Not the very longest: the machine does the rest of the tests' work as well.
    const long = delay.percentile(99) / 1e6;
    assert.ok(long < 50, `the event loop stood still for ${long} ms`);
  });
});
