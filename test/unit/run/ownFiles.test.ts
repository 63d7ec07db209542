import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { UserError } from '../../../src/errors';
import type { Receipt, RunEvent } from '../../../src/protocol/events';
import { apply } from '../../../src/run/grow/apply';
import { evaluateCheckpoint } from '../../../src/run/score/evaluate';
import { grow, type GrowRequest } from '../../../src/run/grow/grow';
import { openModel } from '../../../src/run/open/model';
import { resolveTarget } from '../../../src/run/plan/plan';
import { defaultTrainSettings } from '../../../src/run/settings';
import { train } from '../../../src/run/train/train';
import { example } from '../../support/fixtures';
import { patience } from '../../support/patience';
import { failure } from '../../support/userError';
import {
  bible,
  clothes,
  copyOf,
  entries,
  recorded,
  shortSettings,
  temporaryFolder,
} from './support';

const gpt2 = example('gpt2-kjv');
const target = { layers: 3, hidden: 80 };
const onWindows = process.platform === 'win32' ? 'there are no pipes in folders' : false;

const growth = (
  checkpoint: string,
  out: string,
  changes: Partial<GrowRequest> = {},
): GrowRequest => ({
  ...{ checkpoint, target, out, seed: 0, method: 'ligo', data: bible },
  settings: shortSettings(2),
  ...changes,
});

/** A copy of a checkpoint that is changed once the first step is made. */
function changedInRun(change: (folder: string) => void, from = gpt2) {
  const checkpoint = copyOf(from);
  let done = false;
  const { context, events } = recorded((event: RunEvent) => {
    if (event.type !== 'step' || done) return;
    done = true;
    change(checkpoint);
  });
  return { checkpoint, context, events };
}

/** Other weights in place of a file, with the size and the times it had. */
function rewriteLike(file: string): void {
  const { atime, mtime } = statSync(file);
  const bytes = readFileSync(file);
  bytes[bytes.length - 2]! ^= 1;
  writeFileSync(file, bytes);
  utimesSync(file, atime, mtime);
}

const sha256 = (path: string): string =>
  createHash('sha256').update(readFileSync(path)).digest('hex');

describe('files beside the weights', () => {
  it('that link out of the folder stop a growth before it begins', async () => {
    const parent = temporaryFolder();
    const secret = join(parent, 'id_rsa');
    writeFileSync(secret, 'private');
    for (const name of ['chat_template.jinja', 'vocab.txt', 'generation_config.json']) {
      const checkpoint = copyOf(gpt2);
      rmSync(join(checkpoint, name), { force: true });
      symlinkSync(secret, join(checkpoint, name));
      const out = join(parent, 'out');
      const request = growth(checkpoint, out, { method: 'stack', data: undefined });
      const error = await failure(
        grow(recorded().context, request),
        UserError,
        /link out of its folder/,
      );
      assert.ok(error.message.includes(name));
      const training = {
        checkpoint,
        out,
        data: bible,
        settings: { ...defaultTrainSettings, steps: 1, warmup: 1 },
        seed: 0,
      };
      await failure(train(recorded().context, training), UserError, /link out of its folder/);
      assert.deepEqual(entries(parent), ['id_rsa']);
    }
  });

  it('get into the result as the run found them, whatever replaces them', async () => {
    const { checkpoint, context, events } = changedInRun(folder => {
      writeFileSync(join(folder, 'tokenizer.json'), '{}');
      writeFileSync(join(folder, 'config.json'), '{}');
      writeFileSync(join(folder, 'added_tokens.json'), '{}');
    });
    const out = join(temporaryFolder(), 'out');
    const receipt = await grow(context, growth(checkpoint, out));
    assert.equal(sha256(join(out, 'tokenizer.json')), sha256(join(gpt2, 'tokenizer.json')));
    assert.ok(!entries(out).includes('added_tokens.json'));
    for (const { name, sha256: copied } of receipt.source.companions) {
      assert.equal(copied, sha256(join(gpt2, name)), name);
    }
    assert.ok(receipt.source.companions.some(({ name }) => name === 'tokenizer.json'));
    const says = /tokenizer\.json, added_tokens\.json beside the checkpoint changed during the run/;
    assert.ok(
      receipt.warnings?.some(message => says.test(message)),
      String(receipt.warnings),
    );
    assert.ok(events.some(event => event.type === 'warning' && says.test(event.message)));
  });

  it('are not followed when a receipt goes along', async () => {
    const parent = temporaryFolder();
    writeFileSync(join(parent, 'secret'), '{"private":true}');
    const checkpoint = copyOf(gpt2);
    rmSync(join(checkpoint, 'growth.json'), { force: true });
    symlinkSync(join(parent, 'secret'), join(checkpoint, 'growth.json'));
    const out = join(parent, 'out');
    const settings = { ...defaultTrainSettings, steps: 1, warmup: 1 };
    const training = train(recorded().context, { checkpoint, out, data: bible, settings, seed: 0 });
    await failure(training, UserError, /growth\.json is not used: it is a link out/);
    assert.ok(!entries(parent).includes('out'));
  });
});

describe('weights that change while a run goes on', () => {
  const says = /model\.safetensors was changed or replaced while it was in use/;

  it('end a growth without a result', async () => {
    const parent = temporaryFolder();
    const out = join(parent, 'out');
    const { checkpoint, context } = changedInRun(folder =>
      rewriteLike(join(folder, 'model.safetensors')),
    );
    await failure(grow(context, growth(checkpoint, out)), UserError, says);
    assert.ok(!entries(parent).includes('out'));
  });

  it('end a training without a result', async () => {
    const parent = temporaryFolder();
    const out = join(parent, 'out');
    const { checkpoint, context } = changedInRun(folder =>
      rmSync(join(folder, 'model.safetensors')),
    );
    const settings = { ...defaultTrainSettings, steps: 2, warmup: 1 };
    const training = train(context, { checkpoint, out, data: bible, settings, seed: 0 });
    await failure(training, UserError, says);
    assert.ok(!entries(parent).includes('out'));
  });

  it('are no matter when they still hold the same', async () => {
    const { checkpoint, context } = changedInRun(folder =>
      utimesSync(join(folder, 'model.safetensors'), 1, 1),
    );
    const out = join(temporaryFolder(), 'out');
    const receipt: Receipt = await grow(context, growth(checkpoint, out));
    assert.deepEqual(receipt.source.files, ['model.safetensors']);
  });
});

describe('pipes in the place of files', { skip: onWindows, timeout: patience }, () => {
  const pipe = (folder: string, name: string): string => {
    rmSync(join(folder, name), { force: true });
    execFileSync('mkfifo', [join(folder, name)]);
    return join(folder, name);
  };
  const is = (name: string): RegExp => new RegExp(`${name} is a pipe`);

  it('are named by every command that reads a tokenizer', async () => {
    for (const name of ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json']) {
      const checkpoint = copyOf(gpt2);
      pipe(checkpoint, name);
      const out = join(temporaryFolder(), 'out');
      const { context } = recorded();
      await failure(grow(context, growth(checkpoint, out)), UserError, is(name));
      await failure(evaluateCheckpoint(context, { checkpoint, data: bible }), UserError, is(name));
    }
  });

  it('are named where images are prepared, where a target is described and where operators lie', async () => {
    const vit = copyOf(example('vit-fmnist'));
    pipe(vit, 'preprocessor_config.json');
    const { context } = recorded();
    const scores = evaluateCheckpoint(context, { checkpoint: vit, data: clothes });
    await failure(scores, UserError, is('preprocessor_config.json'));

    const folder = temporaryFolder();
    const model = await openModel(gpt2);
    await model.checkpoint.close();
    const config = pipe(folder, 'config.json');
    await failure(resolveTarget(model, { config }), UserError, is('config.json'));
    const operators = pipe(folder, 'operators.safetensors');
    const out = join(folder, 'out');
    const applied = apply(context, { checkpoint: gpt2, target, operators, out });
    await failure(applied, UserError, /operators\.safetensors is neither a file nor a folder/);
  });
});
