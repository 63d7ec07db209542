import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { openCheckpoint } from '../../../src/checkpoint/checkpoint';
import { CorruptFileError, InterruptedError, UserError } from '../../../src/errors';
import { UnreachableError } from '../../../src/hub/refusals';
import { example, fixture } from '../../support/fixtures';
import { sendBytes, sha256, startHub } from '../../support/hubServer';
import { remedyText } from '../../support/remedyText';
import { failure } from '../../support/userError';
import { commit, fetchModel, served, settingsFor, temporaryFolder } from './support';

const gpt2 = () => served(example('gpt2-kjv'));
const weights = () => gpt2().files['model.safetensors']!;
const text = (content: string) => Buffer.from(content);
const blobsOf = (cache: string) => join(cache, 'models--owner--tiny', 'blobs');

describe('a model on the Hub', () => {
  it('is fetched into the cache in the layout of huggingface_hub, and opened from there', async () => {
    await using hub = await startHub(gpt2());
    const settings = settingsFor(hub);
    const { path, reference, files, bytes } = await fetchModel('hf://owner/tiny', settings);
    const folder = join(settings.cache, 'models--owner--tiny');
    assert.equal(path, join(folder, 'snapshots', commit));
    assert.equal(reference, `hf://owner/tiny@${commit}`);
    assert.equal(files, 5);
    assert.equal(
      bytes,
      Object.values(gpt2().files).reduce((sum, file) => sum + file.length, 0),
    );
    assert.equal(readFileSync(join(folder, 'refs', 'main'), 'utf8'), commit);
    assert.equal(
      readlinkSync(join(path, 'model.safetensors')),
      join('..', '..', 'blobs', sha256(weights())),
    );
    const checkpoint = await openCheckpoint(path);
    const here = await openCheckpoint(example('gpt2-kjv'));
    assert.equal(await checkpoint.sha256(), await here.sha256());
    await checkpoint.close();
    await here.close();
  });

  it('is told of with its progress in bytes, which ends at what was said before', async () => {
    await using hub = await startHub(gpt2());
    const told: [number, string][] = [];
    const { bytes } = await fetchModel('hf://owner/tiny', settingsFor(hub), {
      progress: (...each) => told.push(each),
    });
    assert.deepEqual(told.at(-1), [bytes, 'model.safetensors']);
    assert.deepEqual(
      told,
      [...told].sort(([a], [b]) => a - b),
    );
  });

  it('is named by a branch, a tag or a commit, which the cache keeps as such', async () => {
    await using hub = await startHub({ ...gpt2(), refs: ['v1.0', 'feature/x', 'refs/pr/7'] });
    for (const revision of ['v1.0', 'feature%2Fx', 'refs/pr/7', commit]) {
      const settings = settingsFor(hub);
      const { reference } = await fetchModel(`hf://owner/tiny@${revision}`, settings);
      assert.equal(reference, `hf://owner/tiny@${commit}`);
      const refs = join(settings.cache, 'models--owner--tiny', 'refs');
      if (revision === commit) assert.ok(!existsSync(refs));
      else assert.equal(readFileSync(join(refs, ...revision.split(/\/|%2F/)), 'utf8'), commit);
    }
  });

  it('that lies in the cache is asked for nothing by its commit, and for its commit by a branch', async () => {
    await using hub = await startHub(gpt2());
    const settings = settingsFor(hub);
    await fetchModel('hf://owner/tiny', settings);
    const before = hub.requests.length;
    assert.equal((await fetchModel(`hf://owner/tiny@${commit}`, settings)).files, 0);
    assert.equal(hub.requests.length, before);
    assert.equal((await fetchModel('hf://owner/tiny', settings)).bytes, 0);
    assert.deepEqual(
      hub.requests.slice(before).map(({ url }) => url.replace(/\?.*/, '')),
      ['/api/models/owner/tiny/revision/main'],
    );
  });

  it('is fetched again only where files of a newer commit are others', async () => {
    await using hub = await startHub(gpt2());
    const settings = settingsFor(hub);
    await fetchModel('hf://owner/tiny', settings);
    const newer = 'f'.repeat(40);
    const { files } = gpt2();
    hub.models = [{ ...gpt2(), commit: newer, files: { ...files, 'vocab.txt': text('a\n') } }];
    const { path, files: fetched, bytes } = await fetchModel('hf://owner/tiny', settings);
    assert.deepEqual([fetched, bytes], [1, 2]);
    assert.ok(path.includes(newer));
    assert.ok(existsSync(join(path, 'model.safetensors')));
  });

  it('comes with its needed files alone: safetensors before others, no code, nothing below', async () => {
    const { files } = gpt2();
    const more = [
      'pytorch_model.bin',
      'modeling_evil.py',
      'README.md',
      'onnx/model.onnx',
      'run.sh',
    ];
    const besides = Object.fromEntries(more.map(name => [name, text(`# ${name}`)]));
    const template = { 'additional_chat_templates/tool.jinja': text('{{ x }}') };
    await using hub = await startHub({ ...gpt2(), files: { ...files, ...besides, ...template } });
    const { path } = await fetchModel('hf://owner/tiny', settingsFor(hub));
    assert.deepEqual(
      readdirSync(path).sort(),
      [...Object.keys(files), 'additional_chat_templates'].sort(),
    );
    assert.deepEqual(readdirSync(join(path, 'additional_chat_templates')), ['tool.jinja']);
  });

  it('in shards is fetched by its index', async () => {
    await using hub = await startHub(served(fixture('hf/bert-sharded')));
    const { path } = await fetchModel('hf://owner/tiny', settingsFor(hub));
    const checkpoint = await openCheckpoint(path);
    assert.equal(checkpoint.files.length, 6);
    await checkpoint.close();
  });

  it('with several files of weights asks for the one that is meant', async () => {
    const files = { 'a.Q4_0.gguf': text('GGUF a'), 'a.Q8_0.gguf': text('GGUF b') };
    await using hub = await startHub({ ...gpt2(), files, lfs: Object.keys(files) });
    const settings = settingsFor(hub);
    const error = await failure(
      fetchModel('hf://owner/tiny', settings),
      UserError,
      /hf:\/\/owner\/tiny holds several checkpoints: a\.Q4_0\.gguf, a\.Q8_0\.gguf/,
    );
    assert.match(remedyText(error.remedy), /hf:\/\/owner\/tiny\/a\.Q4_0\.gguf/);
    const { path } = await fetchModel('hf://owner/tiny/a.Q8_0.gguf', settings);
    assert.equal(readFileSync(path, 'utf8'), 'GGUF b');
    assert.ok(!existsSync(join(dirname(path), 'a.Q4_0.gguf')));
  });

  it('among 10,000 files is found, over as many pages as the list has', async () => {
    const many = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, at) => [`step-${at}.txt`, text(`${at}`)]),
    );
    const { files } = gpt2();
    await using hub = await startHub({ ...gpt2(), files: { ...many, ...files } });
    const { path } = await fetchModel('hf://owner/tiny', settingsFor(hub));
    assert.equal(readdirSync(path).length, 5);
    assert.equal(hub.requests.filter(({ url }) => url.includes('/tree/')).length, 11);
  });

  it('has copies in place of links where links are turned off', async () => {
    await using hub = await startHub(gpt2());
    const settings = settingsFor(hub, { copies: true });
    const { path } = await fetchModel('hf://owner/tiny', settings);
    assert.throws(() => readlinkSync(join(path, 'config.json')), /EINVAL/);
    assert.deepEqual(readFileSync(join(path, 'model.safetensors')), weights());
    assert.equal((await fetchModel('hf://owner/tiny', settings)).files, 0);
  });
});

describe('the token', () => {
  it('goes to the Hub alone, not to where it redirects', async () => {
    await using hub = await startHub({ ...gpt2(), gated: true });
    await fetchModel('hf://owner/tiny', settingsFor(hub, { token: 'hf_secret' }));
    const at = (where: string) => hub.requests.filter(request => request.at === where);
    assert.ok(at('hub').every(({ authorization }) => authorization === 'Bearer hf_secret'));
    assert.deepEqual(
      at('cdn').map(({ authorization }) => authorization),
      [undefined],
    );
  });

  it('stays away once a redirect has led elsewhere, also where that leads back', async () => {
    await using hub = await startHub(gpt2());
    hub.interfere = ({ at, url }, response) => {
      if (url.includes('?back')) return false;
      if (at !== 'cdn') return false;
      response.writeHead(302, {
        location: `${hub.endpoint}/owner/tiny/resolve/main/config.json?back`,
      });
      response.end();
      return true;
    };
    await failure(
      fetchModel('hf://owner/tiny', settingsFor(hub, { token: 'hf_secret' })),
      UserError,
      /reached|Hub says/,
    );
    const back = hub.requests.filter(({ url }) => url.includes('?back'));
    assert.ok(back.length > 0);
    assert.ok(back.every(({ authorization }) => authorization === undefined));
  });

  it('is not in what is said when it is not accepted', async () => {
    await using hub = await startHub(gpt2());
    hub.interfere = (_, response) => {
      response.writeHead(401, { 'x-error-message': 'Invalid credentials' }).end();
      return true;
    };
    const error = await failure(
      fetchModel('hf://owner/tiny', settingsFor(hub, { token: 'hf_secret' })),
      UserError,
      /does not accept the token/,
    );
    assert.doesNotMatch(`${error.message}${remedyText(error.remedy)}${error.stack}`, /hf_secret/);
  });
});

describe('a connection', () => {
  it('that is cut is gone on with from the next byte', async () => {
    await using hub = await startHub(gpt2());
    const whole = weights();
    hub.interfere = ({ at, range, url }, response) => {
      if (at !== 'cdn' || range !== undefined) return false;
      assert.equal(url, `/${sha256(whole)}`);
      response.writeHead(200, { 'content-length': whole.length });
      response.write(whole.subarray(0, 300_000), () => response.destroy());
      return true;
    };
    const { path, waits } = await fetchModel('hf://owner/tiny', settingsFor(hub));
    assert.deepEqual(readFileSync(join(path, 'model.safetensors')), whole);
    const [range] = hub.requests.flatMap(request => request.range ?? []);
    assert.match(range ?? '', /^bytes=[1-9]\d*-$/);
    assert.equal(waits.length, 1);
  });

  it('that does not go on where it should begins the file anew', async () => {
    await using hub = await startHub(gpt2());
    const whole = weights();
    let cut = false;
    hub.interfere = ({ at, method }, response) => {
      if (at !== 'cdn') return false;
      if (cut) sendBytes(response, whole, undefined, method);
      else {
        response.writeHead(200, { 'content-length': whole.length });
        response.write(whole.subarray(0, 300_000), () => response.destroy());
      }
      cut = true;
      return true;
    };
    const { path } = await fetchModel('hf://owner/tiny', settingsFor(hub));
    assert.deepEqual(readFileSync(join(path, 'model.safetensors')), whole);
  });

  it('that is cut again and again is given up, and what arrived stays for the next time', async () => {
    await using hub = await startHub(gpt2());
    const whole = weights();
    const settings = settingsFor(hub);
    const part = join(blobsOf(settings.cache), `${sha256(whole)}.incomplete`);
    hub.interfere = ({ at, range }, response) => {
      if (at !== 'cdn') return false;
      const begin = range === undefined ? 0 : 1000;
      response.writeHead(range === undefined ? 200 : 206, {
        'content-length': whole.length - begin,
        ...(range !== undefined && {
          'content-range': `bytes 1000-${whole.length - 1}/${whole.length}`,
        }),
      });
      if (range === undefined) response.write(whole.subarray(0, 1000), () => response.destroy());
      else response.destroy();
      return true;
    };
    await failure(fetchModel('hf://owner/tiny', settings), UnreachableError, /cannot be reached/);
    assert.deepEqual(readFileSync(part), whole.subarray(0, 1000));
    hub.interfere = undefined;
    const { bytes, path } = await fetchModel('hf://owner/tiny', settings);
    assert.equal(bytes, whole.length - 1000);
    assert.equal(hub.requests.at(-1)?.range, 'bytes=1000-');
    assert.deepEqual(readFileSync(join(path, 'model.safetensors')), whole);
    assert.ok(!existsSync(part));
  });

  it('is stopped by a person with a part that can be gone on with', async () => {
    await using hub = await startHub(gpt2());
    const whole = weights();
    const settings = settingsFor(hub);
    const controller = new AbortController();
    hub.interfere = ({ at }, response) => {
      if (at !== 'cdn') return false;
      // It never ends by itself.
      response.writeHead(200, { 'content-length': whole.length }).write(whole.subarray(0, 5000));
      return true;
    };
    const stopped = fetchModel('hf://owner/tiny', settings, {
      signal: controller.signal,
      progress: (_, file) => file === 'model.safetensors' && controller.abort(),
    });
    await failure(stopped, InterruptedError, /was stopped; what has arrived is kept/);
    assert.ok(existsSync(join(blobsOf(settings.cache), `${sha256(whole)}.incomplete`)));
    assert.ok(!existsSync(join(settings.cache, 'models--owner--tiny', 'refs')));
    hub.interfere = undefined;
    const { path } = await fetchModel('hf://owner/tiny', settings);
    assert.deepEqual(readFileSync(join(path, 'model.safetensors')), whole);
  });

  it('that is busy is tried again when it says', async () => {
    await using hub = await startHub(gpt2());
    const answers = [
      [429, { 'retry-after': '7' }],
      [503, {}],
    ] as const;
    let asked = 0;
    hub.interfere = (_, response) => {
      const answer = answers[asked++];
      if (!answer) return false;
      const [status, headers] = answer;
      response.writeHead(status, headers).end();
      return true;
    };
    const { waits, notes } = await fetchModel('hf://owner/tiny', settingsFor(hub));
    assert.deepEqual(waits, [7000, 2000]);
    assert.match(notes[0]?.message ?? '', /answered 429; trying again in 7 s/);
  });

  it('that asks to wait for long is not waited for', async () => {
    await using hub = await startHub(gpt2());
    hub.interfere = (_, response) => {
      response.writeHead(429, { 'retry-after': '3600' }).end();
      return true;
    };
    await failure(
      fetchModel('hf://owner/tiny', settingsFor(hub)),
      UserError,
      /asks to wait: too many requests/,
    );
    assert.equal(hub.requests.length, 1);
  });
});

describe('what is fetched', () => {
  it('is refused and removed where its SHA-256 is another', async () => {
    await using hub = await startHub(gpt2());
    const whole = weights();
    const settings = settingsFor(hub);
    hub.interfere = ({ at, method, range }, response) => {
      if (at !== 'cdn') return false;
      const changed = Buffer.from(whole);
      changed[100_000]! ^= 1;
      sendBytes(response, changed, range, method);
      return true;
    };
    await failure(
      fetchModel('hf://owner/tiny', settings),
      CorruptFileError,
      /model\.safetensors of hf:\/\/owner\/tiny is not what the Hub says it is: its SHA-256/,
    );
    assert.deepEqual(
      readdirSync(blobsOf(settings.cache)).filter(name => name.startsWith(sha256(whole))),
      [],
    );
  });

  it('is refused where the git hash of a small file is another', async () => {
    await using hub = await startHub(gpt2());
    const { 'config.json': config } = gpt2().files;
    hub.interfere = ({ url, method, range }, response) => {
      if (!url.endsWith('/config.json')) return false;
      sendBytes(response, Buffer.from(String(config).replace('3', '4')), range, method);
      return true;
    };
    await failure(
      fetchModel('hf://owner/tiny', settingsFor(hub)),
      CorruptFileError,
      /config\.json .* its git hash is another/,
    );
  });

  it('is fetched anew where a part that lies there is of something else', async () => {
    await using hub = await startHub(gpt2());
    const whole = weights();
    const settings = settingsFor(hub);
    mkdirSync(blobsOf(settings.cache), { recursive: true });
    writeFileSync(join(blobsOf(settings.cache), `${sha256(whole)}.incomplete`), 'something else');
    const { path } = await fetchModel('hf://owner/tiny', settings);
    assert.deepEqual(readFileSync(join(path, 'model.safetensors')), whole);
  });

  it('ends where a file has more bytes than the list says', async () => {
    await using hub = await startHub(gpt2());
    hub.interfere = ({ at }, response) => {
      if (at !== 'cdn') return false;
      response.writeHead(200);
      const more = (): void =>
        void response.write(Buffer.alloc(1 << 20), error => !error && more());
      more();
      return true;
    };
    await failure(
      fetchModel('hf://owner/tiny', settingsFor(hub)),
      CorruptFileError,
      /has more than the 899 kB that the Hub says/,
    );
  });

  for (const name of [
    '../../evil',
    '/etc/passwd',
    'C:\\evil',
    '..\\evil',
    'a/../../evil',
    'a\nb',
  ]) {
    it(`is nothing of a list with the name ${JSON.stringify(name)}`, async () => {
      await using hub = await startHub({ ...gpt2(), alsoListed: [name] });
      const settings = settingsFor(hub);
      await failure(
        fetchModel('hf://owner/tiny', settings),
        CorruptFileError,
        /lists a file whose name .* (leads out|contains control)/,
      );
      assert.deepEqual(readdirSync(settings.cache), []);
    });
  }

  it('is nothing of an index whose shards lie elsewhere', async () => {
    const index = { metadata: {}, weight_map: { a: '../../../outside.safetensors' } };
    const files = { 'model.safetensors.index.json': text(JSON.stringify(index)) };
    await using hub = await startHub({ ...gpt2(), files, lfs: [] });
    await failure(
      fetchModel('hf://owner/tiny', settingsFor(hub)),
      CorruptFileError,
      /leads out of the folder of the index/,
    );
  });

  it('is nothing of weights whose name is odd', async () => {
    const files = { 'model$(x).safetensors': weights() };
    await using hub = await startHub({ ...gpt2(), files, lfs: [] });
    await failure(
      fetchModel('hf://owner/tiny', settingsFor(hub)),
      UserError,
      /a name that not every system allows/,
    );
  });

  it('is nothing of an answer that is no Hub’s', async () => {
    await using hub = await startHub(gpt2());
    for (const answer of ['<html>', '[]', 'null', '{"sha": 3}']) {
      hub.interfere = (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
        return true;
      };
      const error = await failure(
        fetchModel('hf://owner/tiny', settingsFor(hub)),
        CorruptFileError,
        /hf:\/\/owner\/tiny /,
      );
      assert.match(remedyText(error.remedy), /is a Hugging Face Hub/);
    }
  });

  it('is not begun where the disk has no room for it', async () => {
    const { files } = gpt2();
    await using hub = await startHub(gpt2());
    hub.interfere = ({ url }, response) => {
      if (!url.includes('/tree/')) return false;
      const huge = { oid: 'a'.repeat(64), size: 2 ** 52, pointerSize: 1 };
      const entries = ['config.json', 'model.safetensors'].map(path => ({
        ...{ type: 'file', path, oid: 'c'.repeat(40), size: files[path]!.length },
        ...(path !== 'config.json' && { lfs: huge }),
      }));
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(entries));
      return true;
    };
    const error = await failure(
      fetchModel('hf://owner/tiny', settingsFor(hub)),
      UserError,
      /takes 4,500 TB on the disk of/,
    );
    assert.match(remedyText(error.remedy), /HF_HUB_CACHE/);
    assert.ok(hub.requests.every(({ url }) => !url.includes('/resolve/')));
  });
});

describe('a model that cannot be had', () => {
  const refusals = [
    [
      'that does not exist',
      'hf://owner/none',
      /does not exist, or is not open to everybody/,
      /private/,
    ],
    [
      'that is gated',
      'hf://owner/tiny',
      /is gated/,
      /Accept its conditions at .*owner\/tiny.*HF_TOKEN/,
    ],
  ] as const;
  for (const [what, reference, says, helps] of refusals) {
    it(`${what} is told with what helps`, async () => {
      await using hub = await startHub({ ...gpt2(), gated: true });
      const error = await failure(fetchModel(reference, settingsFor(hub)), UserError, says);
      assert.match(remedyText(error.remedy), helps);
    });
  }

  it('by a revision that it does not have is told with what helps', async () => {
    await using hub = await startHub(gpt2());
    const error = await failure(
      fetchModel('hf://owner/tiny@v9', settingsFor(hub)),
      UserError,
      /hf:\/\/owner\/tiny@v9 has no such branch, tag or commit/,
    );
    assert.match(remedyText(error.remedy), /owner\/tiny\/tree\/main/);
  });

  it('without a network is told at once, and taken from the cache where it lies there', async () => {
    const hub = await startHub(gpt2());
    const settings = settingsFor(hub);
    const { path } = await fetchModel('hf://owner/tiny', settings);
    await hub.close();
    const again = await fetchModel('hf://owner/tiny', settings);
    assert.equal(again.path, path);
    assert.match(again.notes[0]?.message ?? '', /cannot be reached .* in the cache is used/);
    await failure(fetchModel('hf://owner/other', settings), UnreachableError, /ECONNREFUSED/);
  });

  it('while offline is what lies in the cache, and nothing is asked', async () => {
    await using hub = await startHub(gpt2());
    const cache = temporaryFolder();
    const offline = settingsFor(hub, { cache, offline: true });
    const error = await failure(
      fetchModel('hf://owner/tiny', offline),
      UserError,
      /does not lie whole in .* while offline/,
    );
    assert.match(remedyText(error.remedy), /HF_HUB_OFFLINE/);
    assert.deepEqual(hub.requests, []);
    const { path } = await fetchModel('hf://owner/tiny', settingsFor(hub, { cache }));
    const before = hub.requests.length;
    assert.equal((await fetchModel('hf://owner/tiny', offline)).path, path);
    assert.equal(hub.requests.length, before);
    rmSync(join(path, 'model.safetensors'));
    await failure(fetchModel('hf://owner/tiny', offline), UserError, /does not lie whole/);
  });

  it('is not asked for where its name is none', async () => {
    await using hub = await startHub(gpt2());
    for (const name of ['', 'a/b/c/d', '../x', 'a/..', 'datasets/x', 'a/b@', 'a/b@../c', 'a b/c']) {
      await failure(fetchModel(`hf://${name}`, settingsFor(hub)), UserError, /names no model/);
    }
    assert.deepEqual(hub.requests, []);
  });
});
