import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DataOptions } from '../../../src/run/open/openData';
import { grow, type GrowRequest } from '../../../src/run/grow/grow';
import { example, fixture } from '../../support/fixtures';
import {
  bible,
  clothes,
  entries,
  header,
  recorded,
  shortSettings,
  temporaryFolder,
} from './support';

/** A growth, and independently of the code under test what sizes become what. */
interface Case {
  readonly name: string;
  readonly source: string;
  readonly data?: DataOptions;
  readonly target: { readonly layers: number; readonly hidden: number };
  /** Axis lengths that change: hidden, fused, feed-forward. */
  readonly sizes: Readonly<Record<number, number>>;
  /** Fields of config.json that change, with their lines. */
  readonly config: Readonly<Record<string, number>>;
}

const encoderConfig = (layers: number, hidden: number, heads: number, ffn: number) => ({
  hidden_size: hidden,
  intermediate_size: ffn,
  num_attention_heads: heads,
  num_hidden_layers: layers,
});

const cases: readonly Case[] = [
  {
    name: 'examples/gpt2-kjv',
    source: example('gpt2-kjv'),
    data: bible,
    target: { layers: 5, hidden: 80 },
    sizes: { 64: 80, 192: 240, 256: 320 },
    config: { n_embd: 80, n_head: 5, n_layer: 5 },
  },
  {
    name: 'examples/bert-kjv',
    source: example('bert-kjv'),
    data: bible,
    target: { layers: 4, hidden: 96 },
    sizes: { 64: 96, 256: 384 },
    config: encoderConfig(4, 96, 6, 384),
  },
  {
    name: 'examples/vit-fmnist',
    source: example('vit-fmnist'),
    data: clothes,
    target: { layers: 6, hidden: 96 },
    sizes: { 48: 96, 192: 384 },
    config: { ...encoderConfig(6, 96, 6, 384), pooler_output_size: 96 },
  },
  {
    name: 'deit',
    source: fixture('hf/deit'),
    target: { layers: 4, hidden: 64 },
    sizes: { 48: 64, 192: 256 },
    config: { ...encoderConfig(4, 64, 4, 256), pooler_output_size: 64 },
  },
  ...(['bert-float16', 'bert-bfloat16', 'bert-sharded', 'roberta'] as const).map(name => ({
    name,
    source: fixture(`hf/${name}`),
    target: { layers: 4, hidden: 96 },
    sizes: { 64: 96, 256: 384 },
    config: encoderConfig(4, 96, 6, 384),
  })),
];

/** Types and shapes by tensor name, over all files of a checkpoint. */
function tensorsOf(folder: string): Map<string, string> {
  const files = entries(folder).filter(name => /^model.*\.safetensors$/.test(name));
  const all = files.flatMap(name => [...header(join(folder, name)).tensors]);
  return new Map(all.map(([name, { dtype, shape }]) => [name, `${dtype} ${shape.join(' × ')}`]));
}

/** What transformers would write at the new sizes: the old names with more layers, scaled axes. */
function expectedTensors({ source, sizes, target }: Case): Map<string, string> {
  const expected = new Map<string, string>();
  for (const [name, text] of tensorsOf(source)) {
    const [type, ...axes] = text.split(/ (?:× )?/);
    // There may be as many positions as hidden units, but positions never grow.
    const fixedAxes = /position_embeddings\.weight$|\.wpe\.weight$/.test(name) ? 1 : 0;
    const grown = axes
      .map(Number)
      .map((size, axis) => (axis < fixedAxes ? size : (sizes[size] ?? size)))
      .join(' × ');
    const layer = /\.(\d+)\./.exec(name);
    const copies = layer ? target.layers : 1;
    for (let index = 0; index < copies; index++) {
      expected.set(layer ? name.replace(/\.\d+\./, `.${index}.`) : name, `${type} ${grown}`);
    }
  }
  return expected;
}

const requestFor = ({ source, data, target }: Case, out: string): GrowRequest => ({
  ...{ checkpoint: source, target, out, data, seed: 0 },
  method: data ? 'ligo' : 'stack',
  settings: shortSettings(2),
});

describe('a grown checkpoint', () => {
  for (const task of cases) {
    it(`has the tensors, config and files of a larger ${task.name}`, async () => {
      const out = join(temporaryFolder(), 'grown');
      await grow(recorded().context, requestFor(task, out));
      const sorted = (map: Map<string, string>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
      assert.deepEqual(sorted(tensorsOf(out)), sorted(expectedTensors(task)));

      const lines = (folder: string) =>
        readFileSync(join(folder, 'config.json'), 'utf8').split('\n');
      const changed = lines(task.source).map(line => {
        const field = /^ {2}"(\w+)": /.exec(line)?.[1] ?? '';
        const value = task.config[field];
        return value === undefined
          ? line
          : `  "${field}": ${value}${line.endsWith(',') ? ',' : ''}`;
      });
      assert.deepEqual(lines(out), changed);

      for (const name of ['tokenizer.json', 'tokenizer_config.json', 'preprocessor_config.json']) {
        const from = join(task.source, name);
        assert.equal(existsSync(join(out, name)), existsSync(from), name);
        if (existsSync(from)) assert.ok(readFileSync(join(out, name)).equals(readFileSync(from)));
      }
    });
  }

  it('is cut into shards with an index when it is larger than a shard may be', async () => {
    const folder = temporaryFolder();
    const request = requestFor(cases[5]!, join(folder, 'whole'));
    await grow(recorded().context, request);
    const sharded = join(folder, 'sharded');
    await grow(recorded().context, { ...request, out: sharded, maxShardBytes: 200_000 });
    const shards = entries(sharded).filter(name => /^model-.*\.safetensors$/.test(name));
    assert.ok(shards.length > 2);
    const index = JSON.parse(
      readFileSync(join(sharded, 'model.safetensors.index.json'), 'utf8'),
    ) as { metadata: { total_size: number }; weight_map: Record<string, string> };
    const found = shards.flatMap(shard =>
      [...header(join(sharded, shard)).tensors.keys()].map(name => [name, shard] as const),
    );
    assert.deepEqual(
      Object.entries(index.weight_map).sort(),
      found.map(([name, shard]) => [name, shard] as [string, string]).sort(),
    );
    const bytes = (folder: string, file: string): number => {
      const { tensors } = header(join(folder, file));
      return [...tensors.values()].reduce((sum, { offsets: [a, b] }) => sum + b - a, 0);
    };
    const total = shards.reduce((sum, shard) => sum + bytes(sharded, shard), 0);
    assert.equal(index.metadata.total_size, total);
    assert.equal(total, bytes(join(folder, 'whole'), 'model.safetensors'));
    assert.deepEqual(tensorsOf(sharded), new Map([...tensorsOf(join(folder, 'whole'))]));
    for (const shard of shards) {
      const { tensors } = header(join(sharded, shard));
      assert.ok(tensors.size === 1 || bytes(sharded, shard) <= 200_000, shard);
    }
  });

  it('comes with a receipt of what was measured', async () => {
    const out = join(temporaryFolder(), 'grown');
    const { context, events } = recorded();
    const receipt = await grow(context, requestFor(cases[0]!, out));
    assert.deepEqual(JSON.parse(readFileSync(join(out, 'growth.json'), 'utf8')), receipt);
    const scores = (model: string) => {
      const event = events.find(found => found.type === 'evaluation' && found.model === model);
      return event?.type === 'evaluation' ? event.loss : undefined;
    };
    assert.equal(receipt.losses?.small.loss, scores('small'));
    assert.equal(receipt.losses?.before?.loss, scores('before'));
    assert.equal(receipt.losses?.after.loss, scores('after'));
    assert.equal(receipt.created, '2026-01-01T00:00:00.000Z');
    assert.match(receipt.source.sha256, /^[0-9a-f]{64}$/);
    assert.equal(receipt.data?.separator, 'Lines are joined by a line feed, as was asked for.');
  });
});
