import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { UserError } from '../../../src/errors';
import { summarizeFound } from '../../../src/worker/describe';

const fixture = (...names: string[]): string =>
  join(import.meta.dirname, '../../fixtures/formats', ...names);

describe('files that were found in a workspace', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ligo-found-'));
  after(() => rmSync(folder, { recursive: true }));
  const written = (name: string, content: string | Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  it('are models whatever format they have', async () => {
    const models = {
      'gguf/llama.gguf': 'llama',
      'pytorch/gpt2/pytorch_model.bin': 'gpt2',
      'flax/bert/flax_model.msgpack': 'bert',
      'hdf5/bert/tf_model.h5': 'bert',
      'tfjs/bert/model.json': 'bert',
      'llama2c/tied/version0.bin': 'llama',
    };
    for (const [name, family] of Object.entries(models)) {
      const { kind, model } = await summarizeFound(fixture(name));
      assert.deepEqual([kind, model?.family], ['model', family], name);
    }
  });

  it('are nothing to show where only their names are those of weights', async () => {
    const noise = Buffer.from(Array.from({ length: 500 }, (_, at) => (at * 73 + 200) % 256));
    const others = [
      written('firmware.bin', noise),
      written('notes.pt', 'No weights.\n'),
      written('empty.bin', ''),
      written('small.bin', Buffer.from([16, 0, 0, 0, 0, 0, 0, 0, ...Array<number>(40).fill(9)])),
      written('archive.npz', Buffer.concat([Buffer.from('PK\x03\x04'), noise])),
      written('model.json', '{"name": "settings"}'),
    ];
    for (const path of others) assert.equal((await summarizeFound(path)).kind, 'other', path);
  });

  it('are not supported where they are known and not read, and say why', async () => {
    for (const [name, says] of [
      ['onnx/model.onnx', /cannot be grown|graph/],
      ['pytorch/strange/torchscript.pt', /TorchScript/],
      ['pytorch/strange/quantised.pt', /quanti[sz]ed/],
    ] as const) {
      const { kind, problem } = await summarizeFound(fixture(name));
      assert.equal(kind, 'unsupported', name);
      assert.match(problem?.message ?? '', says);
    }
    const torch = readFileSync(fixture('pytorch', 'types.pt'));
    for (const [name, says] of [
      [
        'mp_rank_00_model_states.pt',
        /belongs to a checkpoint of DeepSpeed ZeRO; it cannot be grown/,
      ],
      ['model_world_size_2_rank_0.pt', /belongs to a checkpoint of verl/],
      ['model_optim_rng.pt', /belongs to a checkpoint of Megatron-LM/],
    ] as const) {
      const { kind, problem } = await summarizeFound(written(name, torch));
      assert.equal(kind, 'unsupported', name);
      assert.match(problem?.message ?? '', says);
    }
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n';
    const { kind, problem } = await summarizeFound(written('pytorch_model.bin', pointer));
    assert.equal(kind, 'unsupported');
    assert.match(problem?.message ?? '', /Git LFS pointer/);
  });

  it('are damaged where their format is theirs alone and they break it', async () => {
    const gguf = join(folder, 'cut.gguf');
    copyFileSync(fixture('gguf', 'llama.gguf'), gguf);
    writeFileSync(gguf, 'GGUF');
    await assert.rejects(summarizeFound(gguf), UserError);
    await assert.rejects(summarizeFound(written('a.safetensors', 'no weights')), UserError);
  });
});
