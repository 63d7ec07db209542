import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { assembleTensor, byStoredTensor } from '../../../src/architecture';
import { grow } from '../../../src/run/grow/grow';
import { openModel } from '../../../src/run/open/model';
import {
  findOptimizerState,
  moments,
  momentTensor,
  withoutOffset,
} from '../../../src/run/open/optimizerState';
import { fixture } from '../../support/fixtures';
import { readSafetensors } from '../../support/safetensors';
import { recorded, shortSettings, temporaryFolder } from './support';

const withState = readdirSync(fixture('optimizer')).filter(name =>
  existsSync(join(fixture('optimizer'), name, 'optimizer.pt')),
);

/** A fixture's model as Trainer leaves it: with the state of its optimizer beside it. */
function checkpointOf(name: string): string {
  const folder = temporaryFolder();
  cpSync(fixture(`hf/${name}`), folder, { recursive: true });
  cpSync(join(fixture('optimizer'), name, 'optimizer.pt'), join(folder, 'optimizer.pt'));
  return folder;
}

const none = () => Promise.reject(new Error('nobody asks for the weights’ hash'));

describe('the state of transformers’ Trainer', () => {
  for (const name of withState) {
    it(`of a ${name} is read by the names of its tensors`, async () => {
      const model = await openModel(checkpointOf(name));
      const expected = JSON.parse(
        readFileSync(join(fixture('optimizer'), name, 'expected.json'), 'utf8'),
      ) as Record<string, readonly number[]>;
      const { state, notes } = await findOptimizerState(model, none, 'use');
      assert.equal(state!.updates, 3);
      assert.match(
        notes[0]!.message,
        /after 3 updates \(optimizer\.pt\).*betas were 0.9 and 0.999/,
      );
      for (const [tensor, parts] of byStoredTensor(
        model.architecture.parameters.map(withoutOffset),
      )) {
        if (!parts.some(({ used }) => used)) continue;
        for (const moment of moments) {
          const read: Float32Array[] = [];
          for (const part of parts) read.push(await state!.read(part, moment));
          const values = assembleTensor(parts, read);
          const places = [0, 1, 2, 3, 4].map(i => Math.floor((i * (values.length - 1)) / 4));
          const [sum, ...those] = [...expected[momentTensor(moment, tensor)]!].reverse();
          assert.deepEqual(
            places.map(at => values[at]),
            those.reverse(),
            `${moment} ${tensor}`,
          );
          const total = values.reduce((all, value) => all + value, 0);
          assert.ok(Math.abs(total - sum!) < 1e-4 * (1 + Math.abs(sum!)), `${moment} ${tensor}`);
        }
      }
      await state![Symbol.asyncDispose]();
      await model.checkpoint.close();
    });
  }

  /** A trained GPT-2 beside which something else lies as optimizer.pt. */
  async function saidOf(file: string, wish?: 'use'): Promise<string> {
    const folder = checkpointOf('gpt2');
    cpSync(file, join(folder, 'optimizer.pt'));
    const model = await openModel(folder);
    try {
      const { state, notes } = await findOptimizerState(model, none, wish);
      assert.equal(state, undefined);
      return notes[0]!.message;
    } finally {
      await model.checkpoint.close();
    }
  }

  const others = {
    'optimizer/sgd.pt': /another optimizer than AdamW \(it has \d\.momentum_buffer\)/,
    'optimizer/amsgrad.pt': /another optimizer than AdamW \(it has AMSGrad\)/,
    'optimizer/llama/optimizer.pt': /has other parameters than a GPT2LMHeadModel/,
    'hf/gpt2/model.safetensors': /is not the state of an optimizer of torch/,
    'formats/pytorch/training/scheduler.pt': /state of a learning rate schedule/,
  };
  for (const [file, says] of Object.entries(others)) {
    it(`is not gone on with where it is ${file}, which is said, or refused where it is asked for`, async () => {
      assert.match(await saidOf(fixture(file)), says);
      assert.match(await saidOf(fixture(file)), /The optimizer begins anew\.$/);
      await assert.rejects(saidOf(fixture(file), 'use'), says);
    });
  }

  it('grows with the model and is written by name', async () => {
    const source = checkpointOf('gpt2');
    const out = join(temporaryFolder(), 'grown');
    const { context, events } = recorded();
    await grow(context, {
      ...{ checkpoint: source, method: 'stack', seed: 0, out, target: { layers: 4 } },
      settings: shortSettings(1),
    });
    const told = events.flatMap(event => (event.type === 'warning' ? [event.message] : []));
    assert.match(told.join(), /after 3 updates \(optimizer\.pt\)/);
    const tensors = readSafetensors(join(out, 'optimizer.safetensors'));
    const before = JSON.parse(
      readFileSync(fixture('optimizer/gpt2/expected.json'), 'utf8'),
    ) as Record<string, readonly number[]>;
    // Of three layers the fourth is the first again.
    for (const layer of [0, 3]) {
      const [first] = tensors.get(`exp_avg.transformer.h.${layer}.mlp.c_fc.weight`)!.data;
      assert.equal(first, before['exp_avg.transformer.h.0.mlp.c_fc.weight']![0]);
    }
  });
});
