import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { CorruptFileError, InterruptedError, UserError } from '../../../src/errors';
import type { Receipt } from '../../../src/protocol/events';
import { grow, type GrowRequest } from '../../../src/run/grow/grow';
import { defaultTrainSettings } from '../../../src/run/settings';
import { train, type TrainRequest } from '../../../src/run/train/train';
import type { TrainingReceipt } from '../../../src/run/write/trainingReceipt';
import { optimizerFeeds } from '../../../src/training';
import { example } from '../../support/fixtures';
import { readSafetensors } from '../../support/safetensors';
import { failure } from '../../support/userError';
import { bible, contents, recorded, shortSettings, temporaryFolder } from './support';

const folder = temporaryFolder();
const settings = { ...defaultTrainSettings, steps: 4, warmup: 0 };
const base = { data: bible, settings, seed: 0 };
/** A training of four steps that kept its optimizer's state. */
const trained = join(folder, 'trained');

const stateFile = (path: string): string => join(path, 'optimizer.safetensors');

function metadataOf(path: string): Record<string, string> {
  const file = readFileSync(path);
  const header = file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE(0)));
  return (JSON.parse(header) as { __metadata__: Record<string, string> }).__metadata__;
}

const receiptOf = <T>(path: string, name: string): T =>
  JSON.parse(readFileSync(join(path, name), 'utf8')) as T;

async function trainOn(from: string, out: string, changes: Partial<TrainRequest> = {}) {
  const { context, events } = recorded();
  await train(context, { ...base, checkpoint: from, out: join(folder, out), ...changes });
  return { out: join(folder, out), events };
}

async function grown(method: GrowRequest['method'], changes: Partial<GrowRequest> = {}) {
  const { context, events } = recorded();
  const out = join(folder, `${method}-${Object.values(changes).join('-')}`);
  await grow(context, {
    ...{ checkpoint: trained, method, seed: 0, out, data: bible },
    target: { layers: 5, hidden: 128, heads: 8 },
    settings: shortSettings(1),
    ...changes,
  });
  return { out, events };
}

const warnings = (events: Awaited<ReturnType<typeof grown>>['events']): string =>
  events.flatMap(event => (event.type === 'warning' ? [event.message] : [])).join('\n');

/** The folder of the training, changed. */
function changed(name: string, change: (path: string) => void): string {
  const path = join(folder, name);
  cpSync(trained, path, { recursive: true });
  change(path);
  return path;
}

before(async () => {
  await trainOn(example('gpt2-kjv'), 'trained', { keepOptimizer: true });
});

describe('the state of an optimizer', () => {
  it('is written beside weights where that is asked for', async () => {
    assert.equal(metadataOf(stateFile(trained))['updates'], '4');
    const weights = readSafetensors(join(trained, 'model.safetensors'));
    const state = readSafetensors(stateFile(trained));
    assert.deepEqual(
      [...state.keys()].sort(),
      ['exp_avg', 'exp_avg_sq'].flatMap(kind => [...weights.keys()].map(name => `${kind}.${name}`)),
    );
    for (const [name, { shape, data }] of state) {
      assert.deepEqual(shape, weights.get(name.replace(/^exp_avg(_sq)?\./, ''))!.shape, name);
      assert.ok(data.some(value => value !== 0) || name.endsWith('attn.bias'), name);
    }
    assert.equal(receiptOf<TrainingReceipt>(trained, 'training.json').optimizerState, undefined);
    const without = await trainOn(example('gpt2-kjv'), 'without');
    assert.ok(!existsSync(stateFile(without.out)));
  });

  it('is gone on with, which the run and its receipt say', async () => {
    const on = await trainOn(trained, 'on', { keepOptimizer: true });
    assert.match(warnings(on.events), /goes on with what it knew after 4 updates/);
    const { optimizerState } = receiptOf<TrainingReceipt>(on.out, 'training.json');
    assert.equal(optimizerState?.updates, 4);
    assert.equal(metadataOf(stateFile(on.out))['updates'], '8');
    const bare = changed('bare', path => rmSync(stateFile(path)));
    const fresh = await trainOn(bare, 'fresh');
    const reset = await trainOn(trained, 'reset', { optimizerState: 'reset' });
    const weights = ({ out }: { out: string }) => contents(out)['model.safetensors'];
    assert.equal(weights(reset), weights(fresh));
    assert.notEqual(weights(on), weights(fresh));
    assert.equal(warnings(reset.events), warnings(fresh.events));
  });

  it('counts on: its bias is corrected as at the updates that it has seen', () => {
    const group = { name: 'all', learningRate: 1e-3, weightDecay: 0.01 };
    const { betas, epsilon, clipNorm } = settings;
    const options = { betas, epsilon, clipNorm };
    const on = optimizerFeeds([{ ...group, earlier: 4 }], options, 1, 1);
    assert.deepEqual(on, optimizerFeeds([group], options, 5, 1));
  });

  it('ends in the same bytes when the run is stopped and gone on with', async () => {
    const whole = await trainOn(trained, 'whole', { keepOptimizer: true });
    const out = join(folder, 'stopped');
    const request = { ...base, checkpoint: trained, out, keepOptimizer: true };
    const { context } = recorded((event, stop) => {
      if (event.type === 'step' && event.step === 2) stop();
    });
    await failure(train(context, request), InterruptedError, /./);
    await train(recorded().context, { ...request, resume: true });
    assert.deepEqual(contents(out), contents(whole.out));
  });

  it('grows by methods that copy, and is gone on with after that', async () => {
    for (const method of ['stack', 'net2net', 'bert2bert', 'copy'] as const) {
      const { out } = await grown(method);
      const receipt = receiptOf<Receipt>(out, 'growth.json');
      assert.equal(receipt.optimizerState?.updates, 4, method);
      const on = await trainOn(out, `${method}-on`);
      const training = receiptOf<TrainingReceipt>(on.out, 'training.json');
      assert.equal(training.optimizerState?.updates, 4, method);
    }
  });

  it('has half of the mean gradient in each of two copies', async () => {
    const { out } = await grown('hypercloning', {
      target: { layers: 3, hidden: 128, heads: 8, ffn: 512 },
    });
    const [small, large] = [trained, out].map(path => readSafetensors(stateFile(path)));
    const name = 'exp_avg.transformer.wte.weight';
    const [from, to] = [small!.get(name)!, large!.get(name)!];
    const [, width] = from.shape as readonly [number, number];
    to.data.forEach((value, index) => {
      const row = Math.floor(index / (2 * width));
      assert.equal(value, Math.fround(from.data[row * width + (index % width)]! / 2));
    });
  });

  it('is left behind by methods that make other weights, which is said; asked for it is refused', async () => {
    for (const method of ['ligo', 'lemon', 'random'] as const) {
      const { out, events } = await grown(method);
      assert.match(warnings(events), new RegExp(`weights that ${method} makes`));
      assert.ok(!existsSync(stateFile(out)));
      assert.equal(receiptOf<Receipt>(out, 'growth.json').optimizerState, undefined);
      const asked = grown(method, { optimizerState: 'use' });
      await failure(asked, UserError, new RegExp(`weights that ${method} makes`));
    }
  });

  it('is refused where it is asked for and is not there', async () => {
    const asked = trainOn(example('gpt2-kjv'), 'none', { optimizerState: 'use' });
    await failure(asked, UserError, /has no optimizer\.safetensors/);
    const scratch = { fromScratch: true, optimizerState: 'use' as const };
    await failure(trainOn(trained, 'scratch', scratch), UserError, /Random weights/);
  });

  it('of other weights is not used', async () => {
    const other = changed('other', path => {
      cpSync(join(example('gpt2-kjv'), 'model.safetensors'), join(path, 'model.safetensors'));
    });
    const { events } = await trainOn(other, 'other-on');
    assert.match(warnings(events), /belongs to other weights .* begins anew/);
    const asked = trainOn(other, 'other-asked', { optimizerState: 'use' });
    await failure(asked, UserError, /belongs to other weights/);
  });

  it('that is damaged is named, and is not used', async () => {
    const negative = changed('negative', path => {
      const file = readFileSync(stateFile(path));
      const length = Number(file.readBigUInt64LE(0));
      const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as Record<
        string,
        { data_offsets: [number, number] }
      >;
      const { data_offsets } = header['exp_avg_sq.transformer.wte.weight']!;
      file.writeFloatLE(-1, 8 + length + data_offsets[0]);
      writeFileSync(stateFile(path), file);
    });
    await failure(trainOn(negative, 'negative-on'), CorruptFileError, /no squares/);
    const cut = changed('cut', path => {
      writeFileSync(stateFile(path), readFileSync(stateFile(path)).subarray(0, 1000));
    });
    const { events } = await trainOn(cut, 'cut-on');
    assert.match(warnings(events), /optimizer\.safetensors.*begins anew/s);
    await failure(trainOn(cut, 'cut-asked', { optimizerState: 'use' }), CorruptFileError, /./);
  });
});
