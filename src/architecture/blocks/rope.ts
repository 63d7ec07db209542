import { CorruptFileError, UnsupportedError } from '../../errors';
import { shortJson } from '../../format';
import type { ModelConfig } from '../architecture';
import type { RotaryPositions } from './positions';

/** What decides the angles besides config.json's fields. */
export interface RopeOptions {
  /** Units of a head. */
  readonly headSize: number;
  /** `max_position_embeddings`. */
  readonly positions: number;
  /** `rope_theta` where config.json has none. Default 10,000. */
  readonly defaultTheta?: number;
  /**
   * Whether the family turns a part of each head where `partial_rotary_factor` says so; others turn the
   * whole whatever it says, in transformers too. Default false.
   */
  readonly turnsParts?: boolean;
}

const remedy = 'Take config.json from the same place and version as the weights beside it.';

/** RoPE's fields as transformers standardises them (`modeling_rope_utils.py`): one object, of v4 or v5. */
function ropeFields(config: ModelConfig, { defaultTheta = 10_000 }: RopeOptions): ModelConfig {
  const found = config['rope_scaling'] ?? config['rope_parameters'] ?? {};
  if (typeof found !== 'object' || Array.isArray(found)) {
    throw new CorruptFileError(
      `config.json: rope_parameters is ${shortJson(found)}, not an object.`,
      remedy,
    );
  }
  const fields = found as ModelConfig;
  const inherited = {
    rope_type: fields['type'] ?? 'default',
    rope_theta: config['rope_theta'] ?? defaultTheta,
    partial_rotary_factor: config['partial_rotary_factor'] ?? 1,
  };
  const given = Object.entries(fields).filter(([, value]) => value !== null);
  return { ...inherited, ...Object.fromEntries(given) };
}

/** The share of each head that config.json has turned. */
export const partialRotaryFactor = (config: ModelConfig): unknown =>
  ropeFields(config, { headSize: 1, positions: 1 })['partial_rotary_factor'];

/** A field of RoPE's that must be a number above 0. */
function positive(fields: ModelConfig, name: string, fallback?: number): number {
  const value = fields[name] ?? fallback;
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new CorruptFileError(
    `config.json: ${name} of the rotary positions is ${value === undefined ? 'missing' : shortJson(value)}, not a number above 0.`,
    remedy,
  );
}

/** 1 / θ^(2j / size) by pair j, in float32. */
const plainFrequencies = (theta: number, size: number): Float32Array =>
  Float32Array.from(
    { length: size / 2 },
    (_, pair) => 1 / Math.fround(theta ** Math.fround((2 * pair) / size)),
  );

/**
 * Llama 3.1's: pairs that turn slowly are slowed down by `factor`, those that turn fast are kept, and
 * those between are blended.
 */
function llama3Frequencies(fields: ModelConfig, plain: Float32Array): Float32Array {
  const factor = positive(fields, 'factor');
  const low = positive(fields, 'low_freq_factor');
  const high = positive(fields, 'high_freq_factor');
  const context = positive(fields, 'original_max_position_embeddings');
  return plain.map(frequency => {
    const length = (2 * Math.PI) / frequency;
    if (length < context / high) return frequency;
    if (length > context / low) return frequency / factor;
    const smooth = (context / length - low) / (high - low);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}

/** YaRN (Peng et al. 2023): a ramp between frequencies that are kept and those that are slowed down. */
function yarn(
  fields: ModelConfig,
  plain: Float32Array,
  { theta, size, positions }: { theta: number; size: number; positions: number },
): RotaryPositions {
  const context = positive(fields, 'original_max_position_embeddings');
  const factor = positive(fields, 'factor', positions / context);
  const scaleOf = (weight: number): number =>
    factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
  const [mscale, mscaleAll] = [fields['mscale'], fields['mscale_all_dim']].map(Number);
  const usual = mscale && mscaleAll ? scaleOf(mscale) / scaleOf(mscaleAll) : scaleOf(1);
  const pairWith = (turns: number): number =>
    (size * Math.log(context / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const [fast, slow] = [
    pairWith(positive(fields, 'beta_fast', 32)),
    pairWith(positive(fields, 'beta_slow', 1)),
  ];
  const truncates = fields['truncate'] !== false;
  const begin = Math.max(truncates ? Math.floor(fast) : fast, 0);
  const end = Math.min(truncates ? Math.ceil(slow) : slow, size - 1);
  const length = end === begin ? 0.001 : end - begin;
  return {
    inverseFrequencies: plain.map((frequency, pair) => {
      const slowed = Math.min(Math.max((pair - begin) / length, 0), 1);
      return (frequency / factor) * slowed + frequency * (1 - slowed);
    }),
    attentionFactor: positive(fields, 'attention_factor', usual),
  };
}

/** One factor a pair. */
function factorList(fields: ModelConfig, name: string, pairs: number): readonly number[] {
  const value = fields[name];
  const isList = Array.isArray(value) && value.length === pairs;
  if (isList && value.every(factor => typeof factor === 'number' && factor > 0)) {
    return value as number[];
  }
  throw new CorruptFileError(
    `config.json: ${name} of the rotary positions is not a list of ${pairs} numbers above 0, one for each pair of units.`,
    remedy,
  );
}

/** LongRoPE (Ding et al. 2024): a factor for each pair, others for sequences beyond the first training. */
function longRope(
  fields: ModelConfig,
  plain: Float32Array,
  positions: number,
): (sequenceLength: number) => RotaryPositions {
  const context = positive(fields, 'original_max_position_embeddings');
  const factor = positive(fields, 'factor', positions / context);
  const usual = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(context));
  const attentionFactor = positive(fields, 'attention_factor', usual);
  const [short, long] = ['short_factor', 'long_factor'].map(name =>
    factorList(fields, name, plain.length),
  ) as [readonly number[], readonly number[]];
  return sequenceLength => {
    const factors = sequenceLength > context ? long : short;
    const inverseFrequencies = plain.map((frequency, pair) => frequency / factors[pair]!);
    return { inverseFrequencies, attentionFactor };
  };
}

/**
 * The angles of rotary positions for sequences of a length, by the fields of config.json that
 * transformers reads for them. Throws UnsupportedError for a kind of scaling that is not known here.
 */
export function ropeOf(
  config: ModelConfig,
  options: RopeOptions,
): (sequenceLength: number) => RotaryPositions {
  const { headSize, positions, turnsParts = false } = options;
  const given = ropeFields(config, options);
  // What stands outside wins, as in Phi-3's config.json.
  const context = config['original_max_position_embeddings'];
  const fields: ModelConfig = {
    original_max_position_embeddings: positions,
    ...given,
    ...(typeof context === 'number' && { original_max_position_embeddings: context }),
  };
  const theta = positive(fields, 'rope_theta');
  const part = positive(fields, 'partial_rotary_factor');
  if (!turnsParts && part !== 1 && fields['rope_type'] !== 'default') {
    throw new UnsupportedError(
      `config.json sets partial_rotary_factor to ${part} beside scaled rotary positions, which transformers cannot compute in this family either.`,
      'Take config.json from the same place and version as the weights beside it.',
    );
  }
  const size = turnsParts ? Math.trunc(headSize * part) : headSize;
  if (size % 2 !== 0 || size > headSize || size === 0) {
    throw new CorruptFileError(
      `config.json: rotary positions turn ${size} of the ${headSize} units of a head, which are not pairs of them.`,
      remedy,
    );
  }
  const plain = plainFrequencies(theta, size);
  const always = (found: RotaryPositions) => () => found;
  switch (fields['rope_type']) {
    case 'default':
    // Dynamic scaling begins beyond `max_position_embeddings`, and sequences here end there.
    case 'dynamic':
      return always({ inverseFrequencies: plain, attentionFactor: 1 });
    case 'linear': {
      const factor = positive(fields, 'factor');
      return always({ inverseFrequencies: plain.map(f => f / factor), attentionFactor: 1 });
    }
    case 'llama3':
      return always({
        inverseFrequencies: llama3Frequencies(fields, plain),
        attentionFactor: 1,
      });
    case 'yarn':
      return always(yarn(fields, plain, { theta, size, positions }));
    case 'longrope':
      return longRope(fields, plain, positions);
    default:
      throw new UnsupportedError(
        `config.json scales rotary positions by ${shortJson(fields['rope_type'])}, which is not one of default, linear, dynamic, yarn, longrope and llama3.`,
        'Use a checkpoint with one of these.',
      );
  }
}
