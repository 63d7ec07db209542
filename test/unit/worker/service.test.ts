import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { growthMethodNames } from '../../../src/growth/methods';
import { lookAtAll } from '../../../src/host/checkpoints/lookAtAll';
import { ServiceClient } from '../../../src/host/serviceClient';
import { engineOutlook } from '../../../src/run/questions/engineOutlook';
import { example, fixture } from '../../support/fixtures';
import { builtWorker, temporaryFolder, until } from './runFolder';

const start = (environment: NodeJS.ProcessEnv = {}) =>
  fork(builtWorker, ['--serve'], {
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, ...environment },
  });

/** A client with the helpers that it started, oldest first. */
function watchedClient(context: TestContext, idle?: number) {
  const children: ReturnType<typeof start>[] = [];
  const client = new ServiceClient(() => {
    const child = start();
    children.push(child);
    return child;
  }, idle);
  context.after(() => client.dispose());
  return { client, children };
}

test('the helper process tells what checkpoints are, plans and computes statistics', async context => {
  const client = new ServiceClient(() => start());
  context.after(() => client.dispose());
  const gpt2 = example('gpt2-kjv');
  const question = { checkpoint: gpt2, target: { layers: 6 }, steps: 10 };
  const [summary, inspected, plan, mango] = await Promise.all([
    client.call('summarize', gpt2),
    client.call('inspect', gpt2),
    client.call('plan', question),
    client.call('plan', { ...question, method: 'mango' }),
  ]);
  assert.equal(summary.model?.layers, 3);
  assert.equal(summary.path, join(gpt2, 'model.safetensors'));
  assert.equal(summary.kind, 'model');
  const usualBatch = { size: 16, sequence: { length: 128, longest: 128 } };
  assert.deepEqual(summary.model?.usualBatch, usualBatch);
  assert.equal(inspected.tensors.length, 40);
  assert.equal(plan.target.layers, 6);
  // One depth operator for all six kinds of matrix; the twelve blocks are mixed though no unit is new.
  assert.equal(mango.operators.depth, plan.operators.depth - 5 * 18);
  assert.deepEqual([mango.operators.width, plan.operators.width], [144, 0]);
  const tensor = inspected.tensors.find(({ shape }) => shape.length === 2)!;
  const statistics = await client.call('statistics', { path: gpt2, tensor: tensor.name });
  assert.equal(statistics.count, tensor.shape[0]! * tensor.shape[1]!);
});

test('the helper process plans a training, refuses what does not fit the model, and times a step', async context => {
  const client = new ServiceClient(() => start());
  context.after(() => client.dispose());
  const checkpoint = example('gpt2-kjv');
  const question = { checkpoint, steps: 100, batchSize: 2, sequenceLength: 16 };
  const [plan, half, wrong, outlook] = await Promise.all([
    client.call('trainingPlan', question),
    client.call('trainingPlan', { ...question, subNetworkSteps: 50, subNetworkLayers: 1 }),
    client.call('trainingPlan', { ...question, subNetworkSteps: 100 }),
    client.call('trainingOutlook', { ...question, engine: 'cpu', threads: 1 }),
  ]);
  assert.deepEqual(plan.source, plan.target);
  assert.deepEqual([plan.refusals, plan.cost?.steps, plan.cost?.batchSize], [[], 100, 2]);
  // Half of the steps compute one layer of three.
  assert.ok(half.cost!.flops < plan.cost!.flops);
  assert.match(wrong.refusals[0]!.reason, /leaves none for the whole/);
  assert.match(wrong.refusals[0]!.remedy, /Sub-Network Steps… under More….*Steps… in the plan/);
  assert.equal(outlook.name, 'cpu');
  assert.equal(outlook.estimate?.from, 'step');
  assert.ok(outlook.estimate.secondsPerStep > 0);
});

test('operators arrive at full resolution as they are on disk', async context => {
  const client = new ServiceClient(() => start());
  context.after(() => client.dispose());
  const path = example('gpt2-kjv/model.safetensors');
  const name = 'transformer.wpe.weight';
  const { shape, values } = await client.call('operator', { path, name });
  assert.deepEqual(shape, [128, 64]);
  assert.ok(values instanceof Float32Array);
  assert.equal(values.length, 128 * 64);
});

test('a sharded checkpoint is one item, whichever way it is named', async context => {
  const client = new ServiceClient(() => start());
  context.after(() => client.dispose());
  const folder = fixture('hf/bert-sharded');
  const summary = await client.call('summarize', folder);
  assert.equal(summary.path, join(folder, 'model.safetensors.index.json'));
  assert.equal(summary.files.length, 6);
});

test('damaged files are told with a remedy, and the helper lives on', async context => {
  const client = new ServiceClient(() => start());
  context.after(() => client.dispose());
  const path = join(temporaryFolder(context), 'model.safetensors');
  writeFileSync(path, readFileSync(example('gpt2-kjv/model.safetensors')).subarray(0, 1000));
  await assert.rejects(client.call('summarize', path), (error: Error & { remedy?: string }) => {
    assert.match(error.message, /truncated/);
    assert.ok(error.remedy);
    return true;
  });
  assert.ok(await client.call('summarize', example('gpt2-kjv')));
});

test('questions are rejected when the helper dies, and the next one starts a new helper', async context => {
  const { client, children } = watchedClient(context);
  const waiting = client.call('summarize', example('gpt2-kjv'));
  children[0]!.kill('SIGKILL');
  await assert.rejects(waiting, /stopped answering/);
  assert.ok(await client.call('summarize', example('gpt2-kjv')));
  assert.equal(children.length, 2);
});

test('a file that ends the helper takes no other file along', async context => {
  const { client, children } = watchedClient(context);
  const names = ['bert-kjv', 'fatal', 'gpt2-kjv', 'vit-fmnist'];
  const seen: string[] = [];
  const fatal: string[] = [];
  const look = async (some: readonly string[]): Promise<void> => {
    const paths = some.map(name => example(name === 'fatal' ? 'gpt2-kjv' : name));
    const answer = client.call('summarizeFound', paths);
    if (some.includes('fatal')) children.at(-1)!.kill('SIGKILL');
    await answer;
    seen.push(...some);
  };
  await lookAtAll(names, { atOnce: 2, together: 2 }, look, name => {
    fatal.push(name);
    return Promise.resolve();
  });
  assert.deepEqual(fatal, ['fatal']);
  assert.deepEqual(seen.sort(), ['bert-kjv', 'gpt2-kjv', 'vit-fmnist']);
  assert.equal(children.length, 3);
});

test('files that are asked for together are answered in their order, each with its own failure', async context => {
  const { client } = watchedClient(context);
  const paths = [example('gpt2-kjv/model.safetensors'), example('absent.pt'), example('kjv.txt')];
  const [model, absent, text] = await client.call('summarizeFound', paths);
  assert.ok(model && 'summary' in model && model.summary.kind === 'model');
  assert.ok(absent && 'failure' in absent);
  assert.match(absent.failure.message, /absent\.pt does not exist/);
  assert.equal(absent.failure.remedy, 'Check the path.');
  assert.ok(text && 'summary' in text && text.summary.kind === 'other');
});

test('the helper ends when it was idle for a while', async context => {
  const { client, children } = watchedClient(context, 100);
  await client.call('summarize', example('gpt2-kjv'));
  assert.equal(client.running, true);
  await until(
    'the helper has ended',
    () => children[0]!.exitCode !== null || children[0]!.signalCode !== null,
  );
  assert.equal(client.running, false);
});

/** A helper whose engines lie in a fresh folder. */
function withEngines(context: TestContext): { client: ServiceClient; engines: string } {
  const engines = join(temporaryFolder(context), 'engines');
  const client = new ServiceClient(() => start({ LIGO_ENGINE_FOLDER: engines }));
  context.after(() => client.dispose());
  return { client, engines };
}

/** A Node with an npm that runs a script. */
function nodeWithNpm(context: TestContext, script: string): string {
  const folder = temporaryFolder(context);
  mkdirSync(join(folder, 'node_modules', 'npm', 'bin'), { recursive: true });
  writeFileSync(join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js'), script);
  symlinkSync(process.execPath, join(folder, 'node'));
  return join(folder, 'node');
}

test('the helper examines engines and tests them', async context => {
  const { client, engines } = withEngines(context);
  const survey = await client.call('survey', {});
  assert.equal(survey.folder, engines);
  assert.equal(survey.engines[0]?.name, 'cpu');
  const [result] = await client.call('selfTest', { engines: ['cpu'] });
  assert.equal(result?.outcome, 'agrees');
});

test('the helper chooses the engine of a plan, and times a step on it', async context => {
  const { client } = withEngines(context);
  const question = {
    ...{ checkpoint: example('gpt2-kjv'), target: { layers: 4 }, steps: 10 },
    ...({ batchSize: 2, sequenceLength: 16, engine: 'cpu', threads: 1 } as const),
  };
  const learning = await client.call('outlook', { ...question, learns: true });
  assert.equal(learning.reason, 'CPU, 1 thread, as asked for');
  assert.ok(learning.estimate && learning.estimate.secondsPerStep > 0);
  const copying = await client.call('outlook', { ...question, learns: false });
  assert.equal(copying.estimate, undefined);
  await assert.rejects(
    client.call('outlook', { ...question, engine: 'tfjs', learns: true }),
    /TensorFlow\.js is not installed/,
  );
});

test('the helper refuses in numbers a plan that does not fit the memory', async context => {
  if (process.platform === 'darwin') return context.skip('what is free is not told there');
  context.mock.method(process, 'availableMemory', () => 1_000_000);
  const { refusal, estimate } = await engineOutlook({
    ...{ checkpoint: example('gpt2-kjv'), target: { layers: 4 }, steps: 10 },
    ...{ batchSize: 2, sequenceLength: 16, engine: 'cpu', learns: true },
  });
  assert.match(refusal?.reason ?? '', /The run takes about [\d.]+ MB .* main memory has 1 MB/);
  assert.equal(estimate, undefined);
});

test('the helper judges a comparison by the steps that it makes', async context => {
  if (process.platform === 'darwin') return context.skip('what is free is not told there');
  const question = {
    ...{ checkpoint: example('gpt2-kjv'), target: { layers: 4 }, steps: 10 },
    ...({ batchSize: 2, sequenceLength: 16, engine: 'cpu', threads: 1 } as const),
  };
  const learning = { ...question, learns: true };
  const comparing = { ...question, learns: false, methods: ['stack'] };
  const free = context.mock.method(process, 'availableMemory', () => 1_000_000);
  const takes = async (asked: Parameters<typeof engineOutlook>[0]): Promise<number> => {
    const { refusal } = await engineOutlook(asked);
    return Number(/The run takes about ([\d.]+) MB/.exec(refusal?.reason ?? '')?.[1]);
  };
  // Training takes moments of every weight, which learning operators does not.
  assert.ok((await takes(comparing)) > (await takes(learning)));
  free.mock.mockImplementation(() => 1e9);
  const { estimate } = await engineOutlook(comparing);
  assert.equal(estimate?.from, 'step');
  assert.ok(estimate.secondsPerStep > 0);
});

test('an installation tells its progress, and its failure in words', async context => {
  const { client, engines } = withEngines(context);
  const lines: string[] = [];
  const npm = `console.log('fetching'); console.error('Error: getaddrinfo ENOTFOUND api.nuget.org'); process.exit(1);`;
  await assert.rejects(
    client.call(
      'install',
      { engine: 'cuda', nodePath: nodeWithNpm(context, npm) },
      { onProgress: line => lines.push(line) },
    ),
    /api\.nuget\.org could not be downloaded/,
  );
  assert.ok(lines.includes('fetching'));
  assert.deepEqual(readdirSync(engines), []);
});

test('an installation that is cancelled ends, and leaves nothing', async context => {
  const { client, engines } = withEngines(context);
  const npm = `console.log('downloading'); setInterval(() => {}, 1000);`;
  const controller = new AbortController();
  await assert.rejects(
    client.call(
      'install',
      { engine: 'tfjs-gpu', nodePath: nodeWithNpm(context, npm) },
      { signal: controller.signal, onProgress: () => controller.abort() },
    ),
    /cancelled/,
  );
  assert.deepEqual(readdirSync(engines), []);
});

test('a TensorFlow that cannot be built with is told, and npm is not asked', async context => {
  const { client, engines } = withEngines(context);
  const nodePath = nodeWithNpm(context, `require('node:fs').writeFileSync('asked', '');`);
  const tensorFlow = join(temporaryFolder(context), 'tensorflow.whl');
  writeFileSync(tensorFlow, 'no wheel');
  await assert.rejects(
    client.call('install', { engine: 'tfjs-node', nodePath, tensorFlow }),
    /tensorflow\.whl cannot be read as a wheel/,
  );
  assert.deepEqual(readdirSync(engines), []);
});

test('an installation does not outlive the host', async context => {
  const { client, engines } = withEngines(context);
  const npm = `require('node:fs').writeFileSync('pid', String(process.pid)); console.log('downloading'); setInterval(() => {}, 1000);`;
  const begun = new Promise<void>(resolve => {
    const nodePath = nodeWithNpm(context, npm);
    client
      .call('install', { engine: 'cuda', nodePath }, { onProgress: () => resolve() })
      .catch(() => undefined);
  });
  await begun;
  const [folder] = readdirSync(engines);
  const pid = Number(readFileSync(join(engines, folder!, 'cuda', 'pid'), 'utf8'));
  client.dispose();
  await until('nothing is left of it', () => readdirSync(engines).length === 0);
  assert.throws(() => process.kill(pid, 0));
});

test('the helper tells every method, and why one cannot make a target', async context => {
  const client = new ServiceClient(() => start());
  context.after(() => client.dispose());
  const checkpoint = example('gpt2-kjv');
  const offers = await client.call('methods', { checkpoint, target: { layers: 7 } });
  assert.deepEqual(
    offers.map(({ name }) => name),
    growthMethodNames,
  );
  const refused = offers.filter(({ refusals }) => refusals.length > 0);
  assert.deepEqual(
    refused.map(({ name }) => name),
    ['mslt'],
  );
  assert.match(refused[0]!.refusals[0]!.reason, /from 3 layers it makes 4 to 6, not 7/);
  assert.deepEqual(
    offers.filter(({ isYardstick }) => isYardstick).map(({ name }) => name),
    ['random'],
  );
  assert.deepEqual(
    offers.filter(({ needsData }) => needsData).map(({ name }) => name),
    ['ligo', 'ligo-paper', 'mango'],
  );
  const fitting = await client.call('methods', { checkpoint, target: { layers: 6 } });
  assert.ok(fitting.every(({ refusals }) => refusals.length === 0));
});

test('the helper tells what a comparison computes before it runs', async context => {
  const client = new ServiceClient(() => start());
  context.after(() => client.dispose());
  const question = {
    ...{ checkpoint: example('gpt2-kjv'), target: { layers: 4 }, steps: 10 },
    ...{ batchSize: 2, sequenceLength: 16, seeds: [0] },
  };
  const ask = (methods: string[], changes: object = {}) =>
    client.call('comparisonPlan', { ...question, methods, ...changes });
  const scratch = await ask(['random']);
  assert.equal(scratch.runs, 1);
  // Training from scratch is part of every comparison.
  const stacked = await ask(['stack']);
  assert.equal(stacked.runs, 2);
  assert.equal(stacked.flops, 2 * scratch.flops!);
  const learned = await ask(['random', 'ligo'], { seeds: [0, 1, 2] });
  assert.equal(learned.runs, 6);
  assert.equal(learned.flops, 3 * (2 * scratch.flops! + learned.growth.cost!.flops));
  assert.equal(stacked.growth.cost, undefined, 'copying learns nothing');
  // Half of its steps train the top layers only, and a method that refuses computes nothing.
  const staged = await ask(['mslt']);
  assert.ok(staged.flops! < stacked.flops! && staged.flops! > scratch.flops!);
  const further = { target: { layers: 7 } };
  const impossible = await ask(['mslt'], further);
  assert.equal(impossible.flops, (await ask(['random'], further)).flops);
  const model = stacked.growth.diskBytes;
  assert.deepEqual(stacked.modelBytes, { most: 2 * model, end: model });
  const all = await ask(['stack'], { keep: 'all', seeds: [0, 1] });
  assert.deepEqual(all.modelBytes, { most: 4 * model, end: 4 * model });
  const refused = await ask(['stack'], { target: { layers: 2 } });
  assert.equal(refused.flops, undefined);
  assert.ok(refused.growth.refusals.length > 0);
});
