import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { recognizeArchitecture } from '../../../src/architecture';
import type { ModelConfig } from '../../../src/architecture';
import { UnsupportedError } from '../../../src/errors';
import { fixture } from '../checkpoint/files';
import { remedyText } from '../../support/remedyText';

const families = ['bert', 'roberta', 'gpt2', 'vit', 'deit'] as const;

/** Names and shapes of a fixture's tensors, and its config.json. */
function read(family: string): { config: ModelConfig; shapes: Map<string, { shape: number[] }> } {
  const bytes = readFileSync(fixture(`${family}/model.safetensors`));
  const header = JSON.parse(
    bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString(),
  ) as Record<string, { shape: number[] }>;
  delete header['__metadata__'];
  const config = JSON.parse(readFileSync(fixture(`${family}/config.json`), 'utf8')) as ModelConfig;
  return { config, shapes: new Map(Object.entries(header)) };
}

function refusalOf(family: string, rename: (name: string) => string): UnsupportedError {
  const { config, shapes } = read(family);
  const renamed = new Map([...shapes].map(([name, info]) => [rename(name), info]));
  try {
    recognizeArchitecture(config, renamed);
  } catch (error) {
    assert.ok(error instanceof UnsupportedError, String(error));
    return error;
  }
  return assert.fail(`${family} was recognised under other names`);
}

for (const family of families) {
  for (const [prefix, who] of [
    ['_orig_mod.', 'torch.compile'],
    ['module.', 'DistributedDataParallel'],
    ['module._orig_mod.', 'torch.compile'],
    ['_orig_mod.module.', 'torch.compile'],
    ['module.module.', 'DistributedDataParallel'],
    ['_forward_module.', 'Lightning Fabric'],
    ['_fsdp_wrapped_module.', 'FullyShardedDataParallel'],
  ] as const) {
    test(`${family} saved in a wrapper (${prefix}) is told by the wrapper's prefix`, () => {
      const { message, remedy } = refusalOf(family, name => prefix + name);
      assert.match(message, new RegExp(`"${prefix.split('.')[0]!}\\."`));
      assert.ok(message.includes(who), message);
      assert.match(remedyText(remedy), /off the names/);
      assert.doesNotMatch(remedyText(remedy), /[Dd]ownload/);
    });
  }
  test(`${family} under a prefix that nobody knows is told by that prefix`, () => {
    for (const prefix of ['student.', 'net.model.', 'model._orig_mod.', 'base_model.model.']) {
      const { message } = refusalOf(family, name => prefix + name);
      assert.ok(message.includes(JSON.stringify(prefix)), message);
    }
  });
}

test('layers that were wrapped one by one are told by the wrapper', () => {
  const { message } = refusalOf('gpt2', name => name.replace(/(h\.\d+)\./, '$1._orig_mod.'));
  assert.match(message, /"_orig_mod\." \(torch\.compile\)/);
  const other = refusalOf('bert', name =>
    name.replace(/(layer\.\d+)\./, '$1._checkpoint_wrapped_module.'),
  );
  assert.match(other.message, /activation checkpointing/);
});

test('an adapter is called an adapter, with and without the config.json of its model', () => {
  const { config } = read('gpt2');
  const adapter = new Map([
    ['base_model.model.transformer.h.0.attn.c_attn.lora_A.weight', { shape: [8, 64] }],
    ['base_model.model.transformer.h.0.attn.c_attn.lora_B.weight', { shape: [192, 8] }],
  ]);
  for (const beside of [config, undefined]) {
    assert.throws(
      () => recognizeArchitecture(beside, adapter),
      (error: UnsupportedError) =>
        /an adapter \(as PEFT saves\)/.test(error.message) &&
        /merge_and_unload/.test(remedyText(error.remedy)),
    );
  }
});
