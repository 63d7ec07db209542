import assert from 'node:assert/strict';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { CorruptFileError, UserError } from '../../../src/errors';
import type { RunEvent } from '../../../src/protocol/events';
import { compare } from '../../../src/run/compare/compare';
import { evaluateCheckpoint } from '../../../src/run/score/evaluate';
import { grow, type GrowRequest } from '../../../src/run/grow/grow';
import { defaultTrainSettings } from '../../../src/run/settings';
import { train } from '../../../src/run/train/train';
import { example } from '../../support/fixtures';
import { failure } from '../../support/userError';
import { bible, clothes, entries, recorded, shortSettings, temporaryFolder } from './support';
import { remedyText } from '../../support/remedyText';

const gpt2 = example('gpt2-kjv');
const vit = example('vit-fmnist');
const says = (name: string): RegExp =>
  new RegExp(`${name} was changed or replaced while the run read it`);

/** A run during which something is done to its data, once. */
function meddledWith(meddle: () => void, when: RunEvent['type'] = 'evaluation') {
  let done = false;
  return recorded(event => {
    if (event.type !== when || done) return;
    done = true;
    meddle();
  });
}

const growth = (
  checkpoint: string,
  out: string,
  changes: Partial<GrowRequest> = {},
): GrowRequest => ({
  ...{ checkpoint, out, seed: 0, method: 'ligo', settings: shortSettings(2) },
  target: { layers: 3, hidden: 80 },
  ...changes,
});

/** The first lines of the King James Bible. */
const verses = readFileSync(example('kjv.txt'), 'utf8').split('\n').slice(0, 3000);

function text(): string {
  const file = join(temporaryFolder(), 'verses.txt');
  writeFileSync(file, verses.join('\n'));
  return file;
}

/** Other contents of the same size, with the times the file had. */
function rewriteLike(file: string): void {
  const { atime, mtime } = statSync(file);
  const bytes = readFileSync(file);
  // Two letters change places, so that text stays text and records stay records.
  const at = bytes.indexOf('the');
  bytes.write('hte', at);
  writeFileSync(file, bytes);
  utimesSync(file, atime, mtime);
}

const settings = { ...defaultTrainSettings, steps: 2, warmup: 1 };

describe('data that are replaced while a run goes on', () => {
  it('end a growth without a result: a text, though its size and times are as before', async () => {
    const [parent, data] = [temporaryFolder(), text()];
    const { context } = meddledWith(() => rewriteLike(data), 'step');
    const request = growth(gpt2, join(parent, 'out'), { data: { ...bible, data } });
    const error = await failure(grow(context, request), UserError, says('verses\\.txt'));
    // What was learned is kept, for when the data are put back.
    assert.match(remedyText(error.remedy), /--resume: the training is kept/);
    assert.deepEqual(entries(parent), ['out.run']);
  });

  it('are taken up again once they are put back', async () => {
    const [parent, data] = [temporaryFolder(), text()];
    const before = readFileSync(data);
    const request = growth(gpt2, join(parent, 'out'), { data: { ...bible, data } });
    const { context } = meddledWith(() => rewriteLike(data), 'step');
    await failure(grow(context, request), UserError, says('verses\\.txt'));
    await failure(
      grow(recorded().context, { ...request, resume: true }),
      UserError,
      /data is another/,
    );
    writeFileSync(data, before);
    await grow(recorded().context, { ...request, resume: true });
    assert.deepEqual(entries(parent), ['out']);
  });

  it('end a training: JSON lines in a folder, one of whose files is renamed into place', async () => {
    const [parent, folder] = [temporaryFolder(), temporaryFolder()];
    const record = (line: string): string => `${JSON.stringify({ text: line })}\n`;
    writeFileSync(join(folder, 'a.jsonl'), verses.slice(0, 1500).map(record).join(''));
    writeFileSync(join(folder, 'b.jsonl'), verses.slice(1500).map(record).join(''));
    const { context } = meddledWith(() => {
      copyFileSync(join(folder, 'b.jsonl'), join(folder, 'new'));
      rewriteLike(join(folder, 'new'));
      renameSync(join(folder, 'new'), join(folder, 'b.jsonl'));
    });
    const data = { ...bible, data: folder };
    const task = { checkpoint: gpt2, out: join(parent, 'out'), data, settings, seed: 0 };
    await failure(train(context, task), UserError, says('b\\.jsonl'));
    assert.deepEqual(entries(parent), ['out.run']);
  });

  it('end a training that has only its evaluation data changed, or removed', async () => {
    for (const meddle of [rewriteLike, (file: string) => rmSync(file)]) {
      const [parent, evaluationData] = [temporaryFolder(), text()];
      const { context } = meddledWith(() => meddle(evaluationData), 'step');
      const data = { ...bible, evaluationData };
      const task = { checkpoint: gpt2, out: join(parent, 'out'), data, settings, seed: 0 };
      await failure(train(context, task), UserError, says('verses\\.txt'));
      assert.deepEqual(entries(parent), ['out.run']);
    }
  });

  it('end a growth that copies: an image of a class folder', async () => {
    const [parent, folder] = [temporaryFolder(), temporaryFolder()];
    for (const [label, grey] of [
      ['0', 40],
      ['1', 200],
    ] as const) {
      mkdirSync(join(folder, label));
      const background = { r: grey, g: grey, b: grey };
      for (let index = 0; index < 12; index++) {
        const side = { width: 28, height: 28, channels: 3, background } as const;
        await sharp({ create: side })
          .png()
          .toFile(join(folder, label, `${index}.png`));
      }
    }
    const { context } = meddledWith(() =>
      copyFileSync(join(folder, '0', '3.png'), join(folder, '1', '3.png')),
    );
    const target = { layers: 4, hidden: 80 };
    const data = { ...clothes, data: folder };
    const request = growth(vit, join(parent, 'out'), { method: 'stack', target, data });
    await failure(grow(context, request), CorruptFileError, says('1/3\\.png'));
    assert.deepEqual(entries(parent), []);
  });

  it('end an evaluation: IDX files', async () => {
    const folder = temporaryFolder();
    cpSync(example('fashion-mnist'), folder, { recursive: true });
    const { context } = meddledWith(() =>
      copyFileSync(
        join(folder, 'train-labels-idx1-ubyte.gz'),
        join(folder, 't10k-labels-idx1-ubyte.gz'),
      ),
    );
    const scores = evaluateCheckpoint(context, {
      checkpoint: vit,
      data: { ...clothes, data: folder },
    });
    await failure(scores, CorruptFileError, says('t10k-labels-idx1-ubyte\\.gz'));
  });

  it('end an evaluation, as do weights that are replaced', async () => {
    const checkpoint = temporaryFolder();
    cpSync(gpt2, checkpoint, { recursive: true });
    const { context } = meddledWith(() => {
      const file = join(checkpoint, 'model.safetensors');
      const bytes = readFileSync(file);
      bytes[bytes.length - 2]! ^= 1;
      writeFileSync(file, bytes);
    });
    await failure(
      evaluateCheckpoint(context, { checkpoint, data: bible }),
      CorruptFileError,
      /model\.safetensors was changed or replaced/,
    );
  });

  it('end a comparison, which keeps the runs that ended before', async () => {
    const [parent, data] = [temporaryFolder(), text()];
    const { context } = recorded(event => {
      if (event.type !== 'comparisonRun' || event.ended !== 1) return;
      if (event.state === 'started') rewriteLike(data);
    });
    const out = join(parent, 'out');
    const comparison = compare(context, {
      ...{ checkpoint: gpt2, target: { layers: 3, hidden: 80 }, out },
      ...{ methods: ['stack'], seeds: [0], growthSteps: 2, evaluateEvery: 2, training: settings },
      data: { ...bible, data },
    });
    const error = await failure(comparison, UserError, says('verses\\.txt'));
    assert.match(remedyText(error.remedy), /--resume: 1 run is kept in .*out\.run/);
    assert.deepEqual(entries(parent), ['out.run']);
    assert.ok(entries(join(parent, 'out.run')).includes('random-0.json'));
    assert.ok(!entries(join(parent, 'out.run')).includes('stack-0.json'));
  });

  it('stop a training where they cannot be read any more, with its state kept', async () => {
    const [parent, data] = [temporaryFolder(), text()];
    let steps = 0;
    const { context } = recorded(event => {
      if (event.type === 'step' && ++steps === 3) rmSync(data);
    });
    // Larger than what is kept in memory of it, so that it is read on the way.
    writeFileSync(data, `${verses.join('\n')}\n`.repeat(120));
    const task = {
      ...{ checkpoint: gpt2, out: join(parent, 'out'), seed: 0 },
      data: { ...bible, batchSize: 16, data },
      settings: { ...settings, steps: 200 },
    };
    const error = await failure(train(context, task), UserError, /verses\.txt cannot be read/);
    assert.match(error.message, /The state after step \d+ of 200 is in .*out\.run/);
    assert.match(remedyText(error.remedy), /--resume/);
    assert.deepEqual(entries(parent), ['out.run']);
  });
});

describe('data that are touched while a run goes on', () => {
  it('are told of where they were written and hold what they held', async () => {
    const data = text();
    const { context, events } = meddledWith(() => writeFileSync(data, readFileSync(data)));
    const request = growth(gpt2, join(temporaryFolder(), 'out'), { data: { ...bible, data } });
    const receipt = await grow(context, request);
    const told = /1 data file was written or replaced during the run: verses\.txt; now it holds/;
    assert.ok(
      receipt.warnings?.some(message => told.test(message)),
      String(receipt.warnings),
    );
    assert.ok(events.some(event => event.type === 'warning' && told.test(event.message)));
  });

  it('are no matter where only their name changed its place for a moment', async () => {
    const data = text();
    const { context } = meddledWith(() => {
      renameSync(data, `${data}.away`);
      renameSync(`${data}.away`, data);
    });
    const request = growth(gpt2, join(temporaryFolder(), 'out'), { data: { ...bible, data } });
    const receipt = await grow(context, request);
    assert.ok(!receipt.warnings?.some(message => /during the run/.test(message)));
  });
});
