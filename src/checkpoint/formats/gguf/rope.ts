import { UnsupportedError } from '../../../errors';
import { toFloat32 } from '../../elementTypes';
import type { JsonObject } from '../../jsonText';
import type { ReadBytes } from '../../layouts/layout';
import { elementCount, type TensorInfo } from '../../tensor';
import type { Facts } from './facts';

/** Most factors of rotary positions: one for each pair of a head's units. */
const MAX_FACTORS = 4096;

/** What Llama 3.1, 3.2 and 3.3 have in their config.json beside the factor, which is the only one that differs. */
const llama3 = {
  rope_type: 'llama3',
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};

/** `rope_scaling` of config.json, out of metadata and of tensors that hold factors. @throws UserError */
export async function ropeScaling(
  facts: Facts,
  tensors: ReadonlyMap<string, TensorInfo>,
  read: ReadBytes,
  theta: number,
): Promise<JsonObject> {
  const factors = (name: string): Promise<readonly number[] | undefined> =>
    smallTensor(tensors.get(name), read);
  const freqs = await factors('rope_freqs.weight');
  if (freqs) return { rope_scaling: scalingOfFactors(freqs, theta) };
  const [long, short] = [
    await factors('rope_factors_long.weight'),
    await factors('rope_factors_short.weight'),
  ];
  if (long && short) {
    for (const entry of ['type', 'attn_factor']) facts.value(`rope.scaling.${entry}`);
    return {
      rope_scaling: { rope_type: 'longrope', long_factor: long, short_factor: short },
    };
  }
  return scalingOfMetadata(facts);
}

function scalingOfMetadata(facts: Facts): JsonObject {
  const kind = facts.value('rope.scaling.type');
  if (kind === undefined || kind === 'none') return {};
  const factor = facts.number('rope.scaling.factor');
  const context = facts.number('rope.scaling.original_context_length');
  if (kind === 'linear' && factor !== undefined) {
    return { rope_scaling: { rope_type: 'linear', factor } };
  }
  if (kind === 'yarn' && factor !== undefined && context !== undefined) {
    const original_max_position_embeddings = context;
    return { rope_scaling: { rope_type: 'yarn', factor, original_max_position_embeddings } };
  }
  throw notTold();
}

/** Llama 3's scaling whose factors these are. */
function scalingOfFactors(factors: readonly number[], theta: number): JsonObject {
  const factor = Math.max(...factors);
  const pairs = factors.length;
  const expected = llama3Factors(pairs, { factor, theta });
  const same = factors.every((given, pair) => Math.abs(given / expected[pair]! - 1) < 1e-4);
  if (!same) throw notTold();
  return { ...llama3, factor };
}

/** By how much Llama 3 slows each of so many pairs. */
export const llama3Factors = (
  pairs: number,
  { factor, theta }: { readonly factor: number; readonly theta: number },
): number[] =>
  Array.from({ length: pairs }, (_, pair) =>
    llama3Factor(2 * Math.PI * theta ** (pair / pairs), factor),
  );

/** By how much Llama 3 slows the pair of a wave length. */
function llama3Factor(length: number, factor: number): number {
  const { low_freq_factor: low, high_freq_factor: high } = llama3;
  const context = llama3.original_max_position_embeddings;
  if (length < context / high) return 1;
  if (length > context / low) return factor;
  const smooth = (context / length - low) / (high - low);
  return 1 / ((1 - smooth) / factor + smooth);
}

const notTold = (): UnsupportedError =>
  new UnsupportedError(
    'The file scales its rotary positions in a way that no config.json says.',
    'Use the original weights of the model.',
  );

async function smallTensor(
  tensor: TensorInfo | undefined,
  read: ReadBytes,
): Promise<readonly number[] | undefined> {
  if (!tensor) return undefined;
  const count = elementCount(tensor.shape);
  if (count > MAX_FACTORS || count === 0) throw notTold();
  const inFile: ReadBytes = (begin, end) => read(begin, end, tensor.file);
  return [...toFloat32(await tensor.layout.read(inFile, 0, count), tensor.type)];
}
