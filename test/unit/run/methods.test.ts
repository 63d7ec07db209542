import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { UnsupportedError } from '../../../src/errors';
import { growthMethod, growthMethods, type GrowthMethodName } from '../../../src/growth';
import { apply } from '../../../src/run/grow/apply';
import { grow, type GrowRequest } from '../../../src/run/grow/grow';
import { ligoDefaults } from '../../../src/run/settings';
import { example } from '../../support/fixtures';
import { bible, clothes, contents, recorded, shortSettings, temporaryFolder } from './support';

const folder = temporaryFolder();
const request = {
  checkpoint: example('gpt2-kjv'),
  settings: shortSettings(1),
  data: bible,
  seed: 0,
};
const deeperAndWider = { layers: 5, hidden: 96 };
const targetOf = (method: GrowthMethodName) =>
  method === 'llama-pro'
    ? { layers: 5 }
    : method === 'hypercloning'
      ? { layers: 5, hidden: 128 }
      : deeperAndWider;

async function grown(name: string, changes: Pick<GrowRequest, 'method'> & Partial<GrowRequest>) {
  const out = join(folder, name);
  const target = targetOf(changes.method);
  const { context, events } = recorded();
  const receipt = await grow(context, { ...request, target, ...changes, out });
  return { out, receipt, events };
}

describe('growing by every method', () => {
  for (const { name, making } of growthMethods) {
    it(`${name} writes a checkpoint and measures it`, async () => {
      const preset = { ...ligoDefaults(name), steps: 1, warmup: 1 };
      const { out, receipt, events } = await grown(name, { method: name, settings: preset });
      assert.equal(receipt.method.name, name);
      assert.ok(receipt.losses!.after.loss > 0 && receipt.parity!.relativeError >= 0);
      const card = readFileSync(join(out, 'README.md'), 'utf8');
      assert.equal(card.includes('without learning'), making.kind !== 'learned');
      const operators = join(out, 'operators.safetensors');
      assert.equal(existsSync(operators), making.kind !== 'weights');
      if (making.kind === 'weights') return;
      assert.ok(events.some(event => event.type === 'operators'));
      const applied = join(folder, `${name}-applied`);
      const { checkpoint } = request;
      const target = targetOf(name);
      await apply(recorded().context, { checkpoint, target, operators, out: applied });
      const [first, second] = [contents(out), contents(applied)];
      for (const file of ['model.safetensors', 'operators.safetensors', 'config.json']) {
        assert.equal(second[file], first[file], file);
      }
    });
  }
});

describe('growing without loss on real models', () => {
  for (const [model, data] of [
    ['gpt2-kjv', bible],
    ['bert-kjv', bible],
    ['vit-fmnist', clothes],
  ] as const) {
    const twice = { layers: 5, hidden: model === 'vit-fmnist' ? 96 : 128 };
    for (const [method, target] of [
      ['net2net', twice],
      ['lemon', twice],
      ['hypercloning', twice],
      ['llama-pro', { layers: 5 }],
    ] as const) {
      it(`${method} leaves the scores of ${model} as they are`, async () => {
        const checkpoint = example(model);
        const { receipt } = await grown(`${model}-${method}`, { method, checkpoint, data, target });
        const { relativeError, agreement } = receipt.parity!;
        assert.ok(relativeError < 1e-5, `relative error ${relativeError}`);
        assert.equal(agreement, 1);
        const { small, after } = receipt.losses!;
        assert.ok(Math.abs(after.loss - small!.loss) < 1e-5, `${after.loss} and ${small!.loss}`);
      });
    }
  }
});

describe('a growth that the method cannot make', () => {
  it('is refused with the method’s reason before anything is written', async () => {
    const target = { hidden: 96 };
    for (const method of ['mslt', 'llama-pro'] as const) {
      await assert.rejects(grown(`refused-${method}`, { method, target }), (error: unknown) => {
        assert.ok(error instanceof UnsupportedError);
        return error.message.startsWith(method);
      });
      assert.ok(!existsSync(join(folder, `refused-${method}`)));
    }
    const checkpoint = example('bert-kjv');
    const lemon = { method: 'lemon' as const, checkpoint, target };
    await assert.rejects(grown('refused-lemon', lemon), /96 is no multiple of 64/);
  });

  it('is refused to be resumed where no steps are taken', async () => {
    for (const { name } of growthMethods) {
      if (growthMethod(name).making.kind === 'learned') continue;
      const resumed = grown(`resumed-${name}`, { method: name, resume: true });
      await assert.rejects(resumed, /takes no steps/);
    }
  });
});
