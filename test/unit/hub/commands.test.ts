import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openCheckpoint } from '../../../src/checkpoint/checkpoint';
import { locateCheckpoint } from '../../../src/checkpoint/locate';
import { UserError } from '../../../src/errors';
import { hubPlaceOf, hubReferenceText, readHubReference } from '../../../src/protocol/hubReference';
import { modelNameOf } from '../../../src/protocol/weightNames';
import { example } from '../../support/fixtures';
import { sha256, startHub } from '../../support/hubServer';
import { remedyText } from '../../support/remedyText';
import { failure } from '../../support/userError';
import { outcomeOf, start } from '../cli/process';
import { commit, fetchModel, served, settingsFor, temporaryFolder } from './support';

const gpt2 = () => served(example('gpt2-kjv'));

describe('a name on the Hub', () => {
  it('is read as it is written, and written as it is read', () => {
    const names = {
      'hf://owner/name': { id: 'owner/name', revision: 'main' },
      'hf://gpt2': { id: 'gpt2', revision: 'main' },
      'hf://owner/name@v1.0': { id: 'owner/name', revision: 'v1.0' },
      'hf://owner/name@a%2Fb/x.gguf': { id: 'owner/name', revision: 'a/b', file: 'x.gguf' },
      'hf://owner/name@refs/pr/3': { id: 'owner/name', revision: 'refs/pr/3' },
      'hf://owner/name/x.gguf': { id: 'owner/name', revision: 'main', file: 'x.gguf' },
      'hf://gpt2@main/x.gguf': { id: 'gpt2', revision: 'main', file: 'x.gguf' },
    };
    for (const [text, reference] of Object.entries(names)) {
      assert.deepEqual(readHubReference(text), reference);
      assert.equal(hubReferenceText(reference), text);
    }
    assert.deepEqual(readHubReference('owner/name'), { id: 'owner/name', revision: 'main' });
  });

  it('is what a model is called that lies in the cache', () => {
    const path = `/c/hub/models--owner--name/snapshots/${commit}/model.safetensors`;
    assert.deepEqual(hubPlaceOf(path), { id: 'owner/name', revision: commit });
    assert.equal(modelNameOf(path), 'name');
    assert.equal(modelNameOf(`hf://owner/name@${commit}`), 'name');
    assert.equal(hubPlaceOf('/c/models--owner--name/model.safetensors'), undefined);
  });
});

describe('the command line', () => {
  it('inspects a model on the Hub, and tells its size before on standard error', async () => {
    await using hub = await startHub(gpt2());
    const cache = temporaryFolder();
    const env = {
      ...process.env,
      HF_ENDPOINT: hub.endpoint,
      HF_HUB_CACHE: cache,
      HF_TOKEN: 'hf_secret',
    };
    const { code, stdout, stderr } = await outcomeOf(
      start(['inspect', 'hf://owner/tiny', '--json'], [], { env }),
    );
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Fetching 5 files \(954 kB\) of hf:\/\/owner\/tiny@0123\w+ into /);
    assert.match((JSON.parse(stdout) as { model: { family: string } }).model.family, /gpt2/);
    assert.doesNotMatch(stdout + stderr, /hf_secret/);
  });

  it('grows a model on the Hub with a receipt that names its commit, and applies it offline', async () => {
    await using hub = await startHub(gpt2());
    const folder = temporaryFolder();
    const env = {
      ...process.env,
      HF_ENDPOINT: hub.endpoint,
      HF_HUB_CACHE: join(folder, 'hub'),
      HF_TOKEN: 'hf_secret',
    };
    const out = join(folder, 'grown');
    const args = ['grow', 'hf://owner/tiny', '--layers', '4', '--method', 'stack', '--out', out];
    const { code, stderr } = await outcomeOf(start(args, [], { env }));
    assert.equal(code, 0, stderr);
    const receipt = readFileSync(join(out, 'growth.json'), 'utf8');
    const { source } = JSON.parse(receipt) as { source: { path: string; sha256: string } };
    assert.equal(source.path, `hf://owner/tiny@${commit}`);
    const here = await openCheckpoint(example('gpt2-kjv'));
    assert.equal(source.sha256, await here.sha256());
    await here.close();
    assert.doesNotMatch(receipt, /hf_secret/);
    assert.match(readFileSync(join(out, 'README.md'), 'utf8'), /^# tiny, grown/m);
    const asked = hub.requests.length;
    const again = ['grow', source.path, '--layers', '4', '--method', 'stack', '--out', `${out}-2`];
    const offline = { ...env, HF_HUB_OFFLINE: '1' };
    assert.equal((await outcomeOf(start(again, [], { env: offline }))).code, 0);
    assert.equal(hub.requests.length, asked);
  });

  it('stops a download at Ctrl-C with exit code 130, and goes on with it', async () => {
    await using hub = await startHub(gpt2());
    const cache = temporaryFolder();
    const whole = gpt2().files['model.safetensors']!;
    const env = { ...process.env, HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache, HF_TOKEN: '' };
    const child = start(['inspect', 'hf://owner/tiny'], [], { env });
    hub.interfere = ({ at }, response) => {
      if (at !== 'cdn') return false;
      response.writeHead(200, { 'content-length': whole.length });
      response.write(whole.subarray(0, 1000), () => child.kill('SIGINT'));
      return true;
    };
    const { code, stderr } = await outcomeOf(child);
    assert.equal(code, 130, stderr);
    assert.match(stderr, /Interrupted: Fetching hf:\/\/owner\/tiny was stopped/);
    const part = `${sha256(whole)}.incomplete`;
    assert.ok(readdirSync(join(cache, 'models--owner--tiny', 'blobs')).includes(part));
    hub.interfere = undefined;
    assert.equal((await outcomeOf(start(['inspect', 'hf://owner/tiny'], [], { env }))).code, 0);
  });

  it('in two processes at once fetches each file once', async () => {
    await using hub = await startHub(gpt2());
    const cache = temporaryFolder();
    const env = { ...process.env, HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache, HF_TOKEN: '' };
    const both = [1, 2].map(() => outcomeOf(start(['inspect', 'hf://owner/tiny'], [], { env })));
    let listed = 0;
    let release: () => void = () => undefined;
    const bothListed = new Promise<void>(resolve => (release = resolve));
    // Neither begins before both know what is missing.
    hub.interfere = async ({ url }) => {
      if (!url.includes('/tree/')) return false;
      if (++listed === 2) release();
      await bothListed;
      return false;
    };
    for (const { code, stderr } of await Promise.all(both)) assert.equal(code, 0, stderr);
    const weights = hub.requests.filter(({ at }) => at === 'cdn');
    assert.equal(weights.length, 1);
    const blobs = readdirSync(join(cache, 'models--owner--tiny', 'blobs'));
    assert.ok(blobs.every(name => !name.endsWith('.incomplete')));
  });
});

describe('the cache of Hugging Face as the path of a checkpoint', () => {
  it('opens the snapshot that refs/main names, or another ref', async () => {
    await using hub = await startHub(gpt2());
    const settings = settingsFor(hub);
    await fetchModel('hf://owner/tiny', settings);
    const root = join(settings.cache, 'models--owner--tiny');
    mkdirSync(join(root, 'snapshots', 'f'.repeat(40)));
    const expected = join(root, 'snapshots', commit, 'model.safetensors');
    for (const path of [root, join(root, 'snapshots'), join(root, 'refs', 'main')]) {
      assert.equal(await locateCheckpoint(path), expected);
    }
    await (await openCheckpoint(root)).close();
  });

  it('opens the only snapshot without a ref, and says which there are of several', async () => {
    const root = join(temporaryFolder(), 'models--owner--tiny');
    const snapshots = ['a', 'b'].map(letter => join(root, 'snapshots', letter.repeat(40)));
    mkdirSync(snapshots[0]!, { recursive: true });
    writeFileSync(join(snapshots[0]!, 'model.safetensors'), '');
    assert.equal(await locateCheckpoint(root), join(snapshots[0]!, 'model.safetensors'));
    mkdirSync(snapshots[1]!);
    await failure(locateCheckpoint(root), UserError, /several snapshots, .*: a{40}, b{40}\./);
    await failure(locateCheckpoint(join(root, 'refs', 'v1')), UserError, /names no snapshot/);
  });

  it('is not seen in a folder that is only called alike', async () => {
    const root = join(temporaryFolder(), 'models--mine');
    mkdirSync(root);
    writeFileSync(join(root, 'model.safetensors'), '');
    assert.equal(await locateCheckpoint(root), join(root, 'model.safetensors'));
  });
});

describe('a pointer of Git LFS in place of weights', () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 1\n`;
  const remedyWith = async (url: string): Promise<string> => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, '.git'));
    writeFileSync(join(folder, '.git', 'config'), `[remote "origin"]\n\turl = ${url}\n`);
    writeFileSync(join(folder, 'model.safetensors'), pointer);
    const error = await failure(openCheckpoint(folder), UserError, /Git LFS pointer/);
    return remedyText(error.remedy);
  };

  it('is told with git lfs pull, and with hf:// where it plainly came from there', async () => {
    for (const url of ['https://huggingface.co/owner/name', 'git@hf.co:owner/name.git']) {
      assert.match(await remedyWith(url), /git lfs pull.*hf:\/\/owner\/name /);
    }
    for (const url of ['https://github.com/owner/name', 'https://huggingface.co.evil.org/a/b']) {
      assert.match(await remedyWith(url), /^Run "git lfs pull" in that folder\.$/);
    }
  });
});
