import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { UserError } from '../../../src/errors';
import { apply } from '../../../src/run/grow/apply';
import { grow, type GrowRequest } from '../../../src/run/grow/grow';
import { assertClose } from '../../support/close';
import { example, fixture, fixtureJson, fixtureTensors } from '../../support/fixtures';
import { readSafetensors } from '../../support/safetensors';
import {
  bible,
  clothes,
  contents,
  entries,
  failure,
  recorded,
  shortSettings,
  temporaryFolder,
} from './support';

const folder = temporaryFolder();
const request: Omit<GrowRequest, 'out'> = {
  checkpoint: example('gpt2-kjv'),
  target: { layers: 4, hidden: 80 },
  method: 'ligo',
  data: bible,
  settings: shortSettings(3),
  seed: 0,
};

before(async () => {
  await grow(recorded().context, { ...request, out: join(folder, 'first') });
});

describe('a growth', () => {
  it('gives the same bytes for the same seed', async () => {
    await grow(recorded().context, { ...request, out: join(folder, 'again') });
    assert.deepEqual(contents(join(folder, 'again')), contents(join(folder, 'first')));
  });

  it('gives the same bytes for the same seed of a vision model', async () => {
    const vision = { ...request, checkpoint: example('vit-fmnist'), data: clothes };
    const target = { layers: 4, hidden: 64 };
    await grow(recorded().context, { ...vision, target, out: join(folder, 'vit-a') });
    await grow(recorded().context, { ...vision, target, out: join(folder, 'vit-b') });
    assert.deepEqual(contents(join(folder, 'vit-b')), contents(join(folder, 'vit-a')));
  });

  it('gives other weights for another seed', async () => {
    const out = join(folder, 'other');
    await grow(recorded().context, { ...request, seed: 1, out });
    const [first, other] = [contents(join(folder, 'first')), contents(out)];
    assert.notEqual(other['model.safetensors'], first['model.safetensors']);
    assert.notEqual(other['operators.safetensors'], first['operators.safetensors']);
    assert.equal(other['config.json'], first['config.json']);
  });

  it('gives other weights for another seed at random, and the same for the same', async () => {
    const random = { ...request, method: 'random' as const, data: undefined };
    for (const [name, seed] of [
      ['random-a', 0],
      ['random-b', 0],
      ['random-c', 7],
    ] as const) {
      await grow(recorded().context, { ...random, seed, out: join(folder, name) });
    }
    const weights = (name: string) => contents(join(folder, name))['model.safetensors'];
    assert.equal(weights('random-a'), weights('random-b'));
    assert.notEqual(weights('random-a'), weights('random-c'));
  });
});

describe('applying operators', () => {
  it('gives the bytes of the growth that learned them', async () => {
    const out = join(folder, 'applied');
    const { checkpoint, target } = request;
    const operators = join(folder, 'first', 'operators.safetensors');
    const receipt = await apply(recorded().context, { checkpoint, target, operators, out });
    const [applied, grown] = [contents(out), contents(join(folder, 'first'))];
    for (const name of ['model.safetensors', 'operators.safetensors', 'config.json']) {
      assert.equal(applied[name], grown[name], name);
    }
    assert.equal(receipt.method.name, 'apply');
  });

  it('adds the random part that the growth added, and refuses to guess one', async () => {
    const { checkpoint, target } = request;
    const operators = join(folder, 'first', 'operators.safetensors');
    const apart = join(temporaryFolder(), 'operators.safetensors');
    const weights = (name: string) => contents(join(folder, name))['model.safetensors'];
    const plain = { ...request, settings: { ...request.settings, freshness: 0 } };
    await grow(recorded().context, { ...plain, out: join(folder, 'plain') });
    assert.notEqual(weights('plain'), weights('first'));
    // As long, so that the header's offsets stay.
    const file = readFileSync(operators, 'latin1');
    assert.ok(file.includes('"freshness":"1"'));
    const out = join(folder, 'applied-plain');
    const plainOperators = join(folder, 'plain', 'operators.safetensors');
    await apply(recorded().context, { checkpoint, target, operators: plainOperators, out });
    assert.equal(weights('applied-plain'), weights('plain'));
    writeFileSync(apart, file.replace('"freshness":"1"', '"freshness":"x"'), 'latin1');
    const unknown = { checkpoint, target, operators: apart, out: join(folder, 'unknown') };
    await failure(apply(recorded().context, unknown), UserError, /random part/);
  });

  it('knows a feed-forward operator that all layers share by its name', async () => {
    const { checkpoint, target } = request;
    const settings = { ...request.settings, mapping: 'shared-ffn' as const };
    await grow(recorded().context, { ...request, settings, out: join(folder, 'shared') });
    const operators = join(folder, 'shared', 'operators.safetensors');
    assert.deepEqual(
      [...readSafetensors(operators).keys()].filter(name => name.startsWith('width.ffn')),
      ['width.ffn'],
    );
    const out = join(folder, 'applied-shared');
    await apply(recorded().context, { checkpoint, target, operators, out });
    const [applied, grown] = [contents(out), contents(join(folder, 'shared'))];
    assert.equal(applied['model.safetensors'], grown['model.safetensors']);
    assert.equal(applied['operators.safetensors'], grown['operators.safetensors']);
  });

  it('takes the released code’s operators to the released code’s weights', async () => {
    const { small, large } = fixtureJson<Record<'small' | 'large', Record<string, unknown>>>(
      'ligo-official/golden.json',
    );
    const checkpoint = join(folder, 'official');
    mkdirSync(checkpoint);
    const config = { ...small, model_type: 'bert', architectures: ['BertForMaskedLM'] };
    writeFileSync(join(checkpoint, 'config.json'), JSON.stringify(config));
    copyFileSync(fixture('ligo-official/small.safetensors'), join(checkpoint, 'model.safetensors'));
    const out = join(folder, 'official-grown');
    await apply(recorded().context, {
      checkpoint,
      target: {
        layers: Number(large['num_hidden_layers']),
        hidden: Number(large['hidden_size']),
        ffn: Number(large['intermediate_size']),
      },
      operators: fixture('ligo-official/operators.safetensors'),
      out,
    });
    const expected = await fixtureTensors('ligo-official/grown.safetensors');
    const grown = readSafetensors(join(out, 'model.safetensors'));
    assert.ok(grown.size > 50);
    for (const [name, { data }] of grown) {
      // transformers writes an untied head's bias under two names.
      const alias = name === 'cls.predictions.bias' ? 'cls.predictions.decoder.bias' : name;
      assertClose(data, expected[alias]!, 1e-6, name);
    }
  });

  it('refuses operators of another growth and leaves nothing behind', async () => {
    const inside = temporaryFolder();
    const operators = join(folder, 'first', 'operators.safetensors');
    const other = { checkpoint: request.checkpoint, target: { layers: 5, hidden: 96 }, operators };
    const job = apply(recorded().context, { ...other, out: join(inside, 'out') });
    await failure(job, UserError, /operator/);
    assert.deepEqual(entries(inside), []);
    assert.ok(readFileSync(operators).length > 0);
  });
});
