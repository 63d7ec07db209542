import { stepsOf } from '../../unit/host/told';
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { api, exampleModels, until, workspaceFolder } from './support';

suite('a run', () => {
  const growth = (name: string, steps: number) => ({
    checkpoint: join(workspaceFolder(), 'gpt2-kjv', 'model.safetensors'),
    target: { layers: 4, hidden: 80 },
    method: 'ligo',
    data: { path: join(workspaceFolder(), 'kjv.txt'), batchSize: 4, sequenceLength: 32 },
    out: join(workspaceFolder(), name),
    steps,
    title: name,
  });

  suiteTeardown(async () => {
    const service = await (await api()).runs();
    for (const { request } of service.list()) await service.remove(request.id);
    for (const name of ['grown', 'kept', 'killed', 'next']) {
      await rm(join(workspaceFolder(), name), { recursive: true, force: true });
    }
    const { checkpoints } = await api();
    await until('the tree is as before', () => checkpoints.models.length === exampleModels.length);
  });

  test('grows a checkpoint in a process of its own, which the tree shows below its parent', async () => {
    const { startGrowth, runs, checkpoints } = await api();
    const id = await startGrowth(growth('grown', 3));
    const service = await runs();
    await until('the run has ended', () => service.get(id)?.ended, 60);
    const record = service.get(id)!;
    assert.equal(record.failure, undefined);
    assert.equal(record.status, 'done');
    assert.deepEqual(stepsOf(record), [1, 2, 3]);
    assert.equal(record.state.receipt?.target.hidden, 80);
    await until('the grown checkpoint is in the tree', () =>
      checkpoints.models
        .find(({ label }) => label === 'gpt2-kjv')
        ?.children.some(({ label }) => label === 'grown'),
    );
  });

  test('that is asked to stop keeps what it learned', async () => {
    const { startGrowth, runs } = await api();
    const id = await startGrowth(growth('kept', 100_000));
    const service = await runs();
    await until('steps are made', () => stepsOf(service.get(id)!).length > 2, 60);
    await service.control(id, 'stopAndKeep');
    await until('the run has ended', () => service.get(id)?.ended, 60);
    assert.equal(service.get(id)?.status, 'done');
    assert.match(await readFile(join(workspaceFolder(), 'kept', 'growth.json'), 'utf8'), /"ligo"/);
  });

  test('whose worker is killed is reported, and another waits for its device meanwhile', async () => {
    const { startGrowth, runs } = await api();
    const service = await runs();
    const id = await startGrowth(growth('killed', 100_000));
    const next = await startGrowth(growth('next', 2));
    await until('steps are made', () => stepsOf(service.get(id)!).length > 2, 60);
    assert.equal(service.get(next)?.status, 'queued');
    const { pid } = JSON.parse(
      await readFile(join(service.get(id)!.folder, 'process.json'), 'utf8'),
    ) as { pid: number };
    process.kill(pid, 'SIGKILL');
    await until('the death is noticed', () => service.get(id)?.status === 'failed');
    assert.match(service.get(id)?.failure?.message ?? '', /killed/);
    await until('the next run has ended', () => service.get(next)?.status === 'done', 60);
  });
});
