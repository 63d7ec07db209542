import { UnsupportedError } from '../../../../errors';
import { shortJson } from '../../../../format';
import { llama3Factors } from '../rope';
import { float32, text, uint32, type Entry } from './entries';
import { otherWay } from './otherWay';

type Fields = Readonly<Record<string, unknown>>;

/** RoPE's fields of config.json, of v4 or v5 of transformers. */
function ropeFields(config: Fields): Fields {
  const found = config['rope_scaling'] ?? config['rope_parameters'] ?? {};
  const fields = typeof found === 'object' ? (found as Fields) : {};
  return {
    rope_type: fields['type'] ?? 'default',
    rope_theta: config['rope_theta'] ?? config['rotary_emb_base'],
    partial_rotary_factor: config['partial_rotary_factor'] ?? config['rotary_pct'],
    ...fields,
  };
}

const numberIn = (fields: Fields, name: string): number | undefined => {
  const value = fields[name];
  return typeof value === 'number' ? value : undefined;
};

/** The metadata of rotary positions. @throws UnsupportedError for a scaling that metadata cannot say */
export function ropeEntries(config: Fields, headSize: number, turnsParts: boolean): Entry[] {
  const fields = ropeFields(config);
  const theta = numberIn(fields, 'rope_theta');
  const part = turnsParts ? (numberIn(fields, 'partial_rotary_factor') ?? 1) : 1;
  return [
    ['rope.dimension_count', uint32(Math.trunc(headSize * part))],
    ...(theta === undefined ? [] : [['rope.freq_base', float32(theta)] as const]),
    ...scalingEntries(config, fields),
  ];
}

function scalingEntries(config: Fields, fields: Fields): Entry[] {
  const kind = fields['rope_type'];
  const factor = numberIn(fields, 'factor');
  switch (kind) {
    case 'default':
    // What stands in a tensor of its own.
    case 'llama3':
      return [];
    case 'linear':
    case 'yarn': {
      if (factor === undefined) break;
      const context =
        numberIn(fields, 'original_max_position_embeddings') ??
        numberIn(config, 'max_position_embeddings');
      return [
        ['rope.scaling.type', text(kind)],
        ['rope.scaling.factor', float32(factor)],
        ...(kind === 'yarn' && context !== undefined
          ? [['rope.scaling.original_context_length', uint32(context)] as const]
          : []),
      ];
    }
  }
  throw new UnsupportedError(
    `No GGUF file is written of a model whose rotary positions are scaled by ${shortJson(kind)}.`,
    otherWay,
  );
}

/** By what Llama 3's scaling divides the frequency of each pair of units; undefined for another scaling. */
export function ropeFactors(config: Fields, headSize: number): Float32Array | undefined {
  const fields = ropeFields(config);
  const [factor, theta] = [numberIn(fields, 'factor'), numberIn(fields, 'rope_theta')];
  if (fields['rope_type'] !== 'llama3' || factor === undefined) return undefined;
  return Float32Array.from(llama3Factors(headSize / 2, { factor, theta: theta ?? 10_000 }));
}
