import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { UserError } from '../../../src/errors';
import { hubSettings } from '../../../src/hub/settings';
import { failure } from '../../support/userError';
import { temporaryFolder } from './support';

describe('the settings of the Hub', () => {
  it('are those of huggingface_hub where nothing is said', async () => {
    const { endpoint, cache, offline } = await hubSettings({ HF_TOKEN: 'x' });
    assert.deepEqual(
      { endpoint, cache, offline },
      {
        endpoint: 'https://huggingface.co',
        cache: join(homedir(), '.cache', 'huggingface', 'hub'),
        offline: false,
      },
    );
  });

  it('name the cache by the nearest of its variables', async () => {
    const all = {
      HF_HUB_CACHE: '/a',
      HUGGINGFACE_HUB_CACHE: '/b',
      HF_HOME: '/c',
      XDG_CACHE_HOME: '/d',
    };
    const expected = ['/a', '/b', '/c/hub', '/d/huggingface/hub'];
    const names = Object.keys(all) as (keyof typeof all)[];
    for (const [at, name] of names.entries()) {
      const environment = Object.fromEntries(names.slice(at).map(each => [each, all[each]]));
      const { cache } = await hubSettings({ ...environment, HF_TOKEN: 'x' });
      assert.equal(cache, expected[at], name);
    }
    assert.equal((await hubSettings({ HF_HUB_CACHE: '~/hub' })).cache, join(homedir(), 'hub'));
  });

  it('take the token from the environment, else from its file, and need none', async () => {
    const home = temporaryFolder();
    const at = { HF_HOME: home };
    assert.equal((await hubSettings(at)).token, undefined);
    writeFileSync(join(home, 'token'), 'hf_file\n');
    assert.equal((await hubSettings(at)).token, 'hf_file');
    assert.equal((await hubSettings({ ...at, HF_TOKEN: 'hf_named' })).token, 'hf_named');
    assert.equal(
      (await hubSettings({ ...at, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' })).token,
      undefined,
    );
  });

  it('have no use for a token while offline', async () => {
    const home = temporaryFolder();
    mkdirSync(join(home, 'token'));
    for (const name of ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE']) {
      const { offline, token } = await hubSettings({
        HF_HOME: home,
        [name]: 'true',
        HF_TOKEN: 'x',
      });
      assert.deepEqual({ offline, token }, { offline: true, token: undefined });
    }
  });

  it('refuse a token or an endpoint that is none without quoting it', async () => {
    const wrong = [
      { HF_TOKEN: 'se\ncret' },
      { HF_ENDPOINT: 'https://me:secret@example.org' },
      { HF_ENDPOINT: 'file:///secret' },
      { HF_ENDPOINT: 'secret' },
    ];
    for (const environment of wrong) {
      const error = await failure(hubSettings(environment), UserError, /HF_/);
      assert.doesNotMatch(error.message, /cret/);
    }
  });

  it('take an endpoint with a path, without the slash at its end', async () => {
    const { endpoint } = await hubSettings({
      HF_ENDPOINT: 'http://127.0.0.1:8080/hub/',
      HF_TOKEN: 'x',
    });
    assert.equal(endpoint, 'http://127.0.0.1:8080/hub');
  });
});
