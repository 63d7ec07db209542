import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openCheckpoint } from '../../../src/checkpoint/checkpoint';
import { locateCheckpoint } from '../../../src/checkpoint/locate';
import { UnsupportedError } from '../../../src/errors';
import type { Receipt } from '../../../src/protocol/events';
import { apply } from '../../../src/run/grow/apply';
import { grow, type GrowRequest } from '../../../src/run/grow/grow';
import { openModel, readParameter } from '../../../src/run/open/model';
import { defaultTrainSettings } from '../../../src/run/settings';
import { train } from '../../../src/run/train/train';
import { example, fixture } from '../../support/fixtures';
import { failure } from '../../support/userError';
import { service } from '../../../src/worker/service';
import { trainingPlan } from '../../../src/run/questions/trainingPlan';
import { cli } from '../cli/support';
import { bible, recorded, shortSettings, temporaryFolder } from './support';
import { withTokenizer } from './withTokenizer';

async function grown(changes: Partial<GrowRequest>) {
  const out = join(temporaryFolder(), 'grown');
  const { context, events } = recorded();
  const receipt = await grow(context, {
    ...{ checkpoint: example('gpt2-kjv'), method: 'stack', seed: 0, out, target: { layers: 4 } },
    settings: shortSettings(1),
    ...changes,
  });
  return { out, receipt, events };
}

/** The farthest that any weight of a GGUF file is from the safetensors beside it, in parts of the largest weight. */
async function farthest(folder: string, file: string): Promise<number> {
  const written = await openModel(folder);
  const other = await openModel(join(folder, file));
  let most = 0;
  for (const parameter of written.architecture.parameters) {
    const twin = other.architecture.parameters.find(({ id }) => id === parameter.id)!;
    const [ours, theirs] = [
      await readParameter(written, parameter),
      await readParameter(other, twin),
    ];
    const largest = ours.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    ours.forEach((value, i) => (most = Math.max(most, Math.abs(value - theirs[i]!) / largest)));
  }
  await written.checkpoint.close();
  await other.checkpoint.close();
  return most;
}

describe('a GGUF file beside the model', () => {
  for (const [outtype, name, near] of [
    ['f16', 'F16', 1e-3],
    ['q8_0', 'Q8_0', 5e-3],
    ['f32', 'F32', 1e-7],
  ] as const) {
    it(`holds the grown model as ${outtype}, and the receipt and the model card name it`, async () => {
      const { out, receipt } = await grown({ gguf: outtype });
      const file = `gpt2-kjv-4x64-${name}.gguf`;
      assert.equal(receipt.gguf?.file, file);
      assert.equal(receipt.gguf.outtype, outtype);
      const checkpoint = await openCheckpoint(join(out, file));
      assert.equal(await checkpoint.sha256(), receipt.gguf.sha256);
      await checkpoint.close();
      assert.ok((await farthest(out, file)) < near);
      assert.match(readFileSync(join(out, 'README.md'), 'utf8'), new RegExp(file));
      const kept = JSON.parse(readFileSync(join(out, 'growth.json'), 'utf8')) as Receipt;
      assert.deepEqual(kept.gguf, receipt.gguf);
      assert.match(await locateCheckpoint(out), /model\.safetensors$/);
    });
  }

  it('is the same after apply as after grow', async () => {
    const { out, receipt } = await grown({ method: 'ligo', data: bible, gguf: 'q8_0' });
    const again = join(temporaryFolder(), 'again');
    await apply(recorded().context, {
      ...{ checkpoint: example('gpt2-kjv'), target: { layers: 4 }, out: again, gguf: 'q8_0' },
      operators: join(out, 'operators.safetensors'),
    });
    const { file } = receipt.gguf!;
    assert.deepEqual(readFileSync(join(again, file)), readFileSync(join(out, file)));
  });

  it('is written of what was trained, too', async () => {
    const out = join(temporaryFolder(), 'trained');
    const settings = { ...defaultTrainSettings, steps: 1, warmup: 0 };
    const receipt = await train(recorded().context, {
      ...{ checkpoint: example('gpt2-kjv'), data: bible, settings, seed: 0, out, gguf: 'f16' },
    });
    assert.equal(receipt.gguf?.file, 'trained-F16.gguf');
    assert.ok((await farthest(out, receipt.gguf.file)) < 1e-3);
  });

  it('is refused before anything is computed where it could not say the model', async () => {
    const out = join(temporaryFolder(), 'grown');
    const { context, events } = recorded();
    await failure(
      grow(context, {
        ...{ checkpoint: example('bert-kjv'), method: 'stack', seed: 0, out, gguf: 'f16' },
        ...{ target: { layers: 4 }, settings: shortSettings(1) },
      }),
      UnsupportedError,
      /GGUF/,
    );
    assert.ok(!existsSync(out));
    assert.ok(!events.some(({ type }) => type === 'step' || type === 'device'));
    await failure(
      grown({ checkpoint: fixture('hf/gpt2'), gguf: 'f16' }),
      UnsupportedError,
      /no tokenizer\.json/,
    );
  });

  it('is refused by the plan where only the grown model is none that it can say', async () => {
    // Heads of 12 units, of which 4 do not make 66: the file would have to give their size.
    const checkpoint = withTokenizer('qwen2');
    const target = { hidden: 66, heads: 4 };
    const { refusals } = await service.plan({ checkpoint, target, steps: 1, gguf: 'f16' });
    assert.match(refusals[0]!.reason, /GGUF file cannot say what this model is/);
    const fits = { hidden: 96, heads: 8 };
    const plan = await service.plan({ checkpoint, target: fits, steps: 1, gguf: 'f16' });
    assert.deepEqual(plan.refusals, []);
    const { events, context } = recorded();
    await failure(
      grow(context, {
        ...{ checkpoint, target, method: 'random', seed: 0, gguf: 'f16' },
        ...{ out: join(temporaryFolder(), 'grown'), settings: shortSettings(1) },
      }),
      UnsupportedError,
      /GGUF file cannot say/,
    );
    assert.ok(!events.some(({ type }) => type === 'device'));
  });

  it('is refused by the plan of a growth and of a training', async () => {
    const asked = { steps: 1, gguf: 'q8_0' } as const;
    const growth = await service.plan({
      ...{ checkpoint: example('bert-kjv'), target: { layers: 4 }, ...asked },
    });
    assert.match(growth.refusals.at(-1)!.reason, /GGUF/);
    const training = await trainingPlan({ checkpoint: example('bert-kjv'), ...asked });
    assert.match(training.refusals[0]!.reason, /GGUF/);
    const possible = await trainingPlan({ checkpoint: example('gpt2-kjv'), ...asked });
    assert.deepEqual(possible.refusals, []);
    const { code, stdout } = await cli(
      ...['plan', example('bert-kjv'), '--layers', '4', '--steps', '1', '--format', 'gguf'],
    );
    assert.notEqual(code, 0);
    assert.match(stdout, /GGUF/);
    const lonely = await cli('plan', example('gpt2-kjv'), '--layers', '4', '--outtype', 'f16');
    assert.match(lonely.stderr, /--outtype is for GGUF files/);
  });

  it('is written by the command line', async () => {
    const out = join(temporaryFolder(), 'grown');
    const { code, stderr } = await cli(
      ...['grow', example('gpt2-kjv'), '--layers', '4', '--method', 'stack', '--out', out],
      ...['--format', 'gguf', '--outtype', 'bf16'],
    );
    assert.equal(code, 0, stderr);
    assert.ok((await farthest(out, 'gpt2-kjv-4x64-BF16.gguf')) < 1e-2);
  });

  it('is left out where nobody asks for it', async () => {
    const { out, receipt } = await grown({});
    assert.equal(receipt.gguf, undefined);
    assert.ok(!readdirSync(out).some(name => name.endsWith('.gguf')));
  });
});
