import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recognizeArchitecture, type ModelConfig } from '../../../src/architecture';
import { configRefusals } from '../../../src/growth';
import { readConfig, readModel, shapesOf, type FamilyName } from './fixtures';

const recognized = (family: FamilyName, config: ModelConfig) =>
  recognizeArchitecture(config, shapesOf(readModel(family)));

/** A config.json with fields under other names, or (undefined) left out. */
function renamed(config: ModelConfig, names: Record<string, string | undefined>): ModelConfig {
  return Object.fromEntries(
    Object.entries(config).flatMap(([name, value]) => {
      const other = name in names ? names[name] : name;
      return other === undefined ? [] : [[other, value]];
    }),
  );
}

const common = {
  n_embd: 'hidden_size',
  n_layer: 'num_hidden_layers',
  n_head: 'num_attention_heads',
  n_positions: 'max_position_embeddings',
};

test('a GPT-2 config.json may use the common names, and keeps them when the model grows', () => {
  const config = renamed(readConfig('gpt2'), common);
  const { architecture, notes } = recognized('gpt2', config);
  const original = recognized('gpt2', readConfig('gpt2')).architecture;
  assert.deepEqual(architecture.dimensions, original.dimensions);
  assert.deepEqual(architecture.accepts, original.accepts);
  assert.deepEqual(notes, []);
  const target = { ...architecture.dimensions, hiddenSize: 96, numAttentionHeads: 6 };
  const { config: written } = architecture.resized(target);
  assert.equal(written['hidden_size'], 96);
  assert.equal(written['num_attention_heads'], 6);
  assert.ok(!('n_embd' in written) && !('n_head' in written));
});

test('of a GPT-2 field that stands there twice the common name counts, and that is said', () => {
  const config = { ...readConfig('gpt2'), n_embd: 32, hidden_size: 64 };
  const { architecture, notes } = recognized('gpt2', config);
  assert.equal(architecture.dimensions.hiddenSize, 64);
  assert.match(notes[0]!.message, /n_embd as 32 and hidden_size as 64.*hidden_size is used/);
  const target = { ...architecture.dimensions, hiddenSize: 128, numAttentionHeads: 8 };
  const { config: written } = architecture.resized(target);
  assert.deepEqual([written['n_embd'], written['hidden_size']], [128, 128]);
});

test('fields of another family count for nothing, and are said where they say something else', () => {
  const said = (family: FamilyName, changes: ModelConfig): string =>
    recognized(family, { ...readConfig(family), ...changes })
      .notes.map(({ message }) => message)
      .join('\n');
  assert.match(said('gpt2', { intermediate_size: 7 }), /intermediate_size \(7\) is not read/);
  assert.match(
    said('gpt2', { layer_norm_eps: 1e-3 }),
    /layer_norm_epsilon is, which makes 0.00001/,
  );
  assert.match(said('gpt2', { n_ctx: 7 }), /n_positions is, which makes 64/);
  assert.match(said('gpt2', { hidden_act: 'relu' }), /activation_function is/);
  assert.equal(said('gpt2', { n_ctx: 64, intermediate_size: 256 }), '');
  assert.match(said('bert', { n_embd: 7 }), /hidden_size is, which makes 64/);
  assert.match(said('vit', { activation_function: 'relu' }), /hidden_act is/);
});

test('a field that config.json does not have is what transformers takes for it', () => {
  const gpt2 = renamed(readConfig('gpt2'), { n_positions: undefined });
  assert.throws(() => recognized('gpt2', gpt2), /config\.json makes it \[1024, 64\]/);
  const bert = renamed(readConfig('bert'), { vocab_size: undefined });
  assert.throws(() => recognized('bert', bert), /config\.json makes it \[30522, 64\]/);
  const vit = renamed(readConfig('vit'), { image_size: undefined });
  assert.throws(() => recognized('vit', vit), /config\.json makes it \[1, 785, 48\]/);
});

test('num_labels counts where id2label has another number of entries', () => {
  const config = { ...readConfig('vit'), num_labels: 7 };
  assert.throws(() => recognized('vit', config), /config\.json makes it \[7, 48\]/);
});

test('a target config under the other names asks for the same', () => {
  const source = readConfig('gpt2');
  assert.deepEqual(configRefusals(source, renamed(source, common)), []);
  const more = { ...renamed(source, common), max_position_embeddings: 128 };
  assert.match(configRefusals(source, more)[0]!.reason, /number of positions/);
});
