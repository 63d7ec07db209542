import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeCheckpoint } from '../../src/checkpoint/writeCheckpoint';
import { randomGenerator } from '../../src/random';
import { example } from '../support/fixtures';

/** Sizes of a GPT-2. */
export interface Gpt2Sizes {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly vocabulary: number;
  readonly positions: number;
}

/** Writes a GPT-2 with random weights and the example's tokenizer, for measurements of real shapes. */
export async function writeRandomGpt2(folder: string, sizes: Gpt2Sizes): Promise<void> {
  const { layers, hidden, heads, vocabulary, positions } = sizes;
  mkdirSync(folder, { recursive: true });
  const config = {
    ...{ architectures: ['GPT2LMHeadModel'], model_type: 'gpt2', activation_function: 'gelu_new' },
    ...{ n_layer: layers, n_embd: hidden, n_head: heads, n_positions: positions },
    ...{ vocab_size: vocabulary, layer_norm_epsilon: 1e-5, tie_word_embeddings: true },
    ...{ bos_token_id: 0, eos_token_id: 0 },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config, null, 2));
  copyFileSync(join(example('gpt2-kjv'), 'tokenizer.json'), join(folder, 'tokenizer.json'));
  const norm = (name: string) => [[`${name}.weight`, [hidden]] as const, bias(name, hidden)];
  const bias = (name: string, size: number) => [`${name}.bias`, [size]] as const;
  const linear = (name: string, [inner, out]: readonly [number, number]) => [
    [`${name}.weight`, [inner, out]] as const,
    bias(name, out),
  ];
  const shapes: (readonly [string, readonly number[]])[] = [
    ['wte.weight', [vocabulary, hidden]],
    ['wpe.weight', [positions, hidden]],
    ...Array.from({ length: layers }, (_, layer) => [
      ...norm(`h.${layer}.ln_1`),
      ...linear(`h.${layer}.attn.c_attn`, [hidden, 3 * hidden]),
      ...linear(`h.${layer}.attn.c_proj`, [hidden, hidden]),
      ...norm(`h.${layer}.ln_2`),
      ...linear(`h.${layer}.mlp.c_fc`, [hidden, 4 * hidden]),
      ...linear(`h.${layer}.mlp.c_proj`, [4 * hidden, hidden]),
    ]).flat(),
    ...norm('ln_f'),
  ];
  const random = randomGenerator(0, 0);
  const valueOf = (name: string): (() => number) => {
    if (/ln_\w+\.weight$/.test(name)) return () => 1;
    if (name.endsWith('.bias')) return () => 0;
    // Uniform with the deviation that GPT-2 starts with, 0.02.
    return () => 0.02 * Math.sqrt(12) * (random.uniform() - 0.5);
  };
  await writeCheckpoint(
    folder,
    shapes.map(([name, shape]) => ({
      ...{ name: `transformer.${name}`, type: 'F32' as const, shape },
      values: () => {
        const next = valueOf(name);
        const size = shape.reduce((product, length) => product * length, 1);
        return Promise.resolve(new Float32Array(size).map(next));
      },
    })),
  );
}
