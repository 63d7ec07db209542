import type { Architecture, Parameter } from '../architecture';
import { randomGenerator, randomStreams } from '../random';

/**
 * A parameter of a model trained from scratch, as transformers initialises these families
 * (`_init_weights` of each `modeling_*.py`): weights and embeddings N(0, initializer_range), norms 1,
 * biases 0. ViT's truncation at ±2 lies 100 deviations out, so it is left out. Further:
 * - GPT-2 draws projections back into the residual stream smaller by √(2 · layers), the number of
 *   sums they go into;
 * - BERT's and RoBERTa's row of the padding token is zero, and RoBERTa's row of the padding position;
 * - the token of masked images is zero;
 * - DeiT's class and distillation tokens and positions are zero.
 */
export function randomParameter(
  architecture: Architecture,
  parameter: Parameter,
  seed: number,
): Float32Array {
  const { config, parameters } = architecture;
  const values = new Float32Array(parameter.shape.reduce((product, size) => product * size, 1));
  if (parameter.part === 'bias' || startsAtZero(architecture, parameter)) return values;
  if (isNorm(parameter)) return values.fill(1);
  const range = Number(config['initializer_range'] ?? 0.02);
  const deviation = range * residualScale(architecture, parameter);
  const random = randomGenerator(
    seed,
    randomStreams.weightInitialization,
    parameters.indexOf(parameter),
  );
  for (let index = 0; index < values.length; index++) values[index] = random.normal() * deviation;
  const padding = paddingRow(architecture, parameter);
  if (padding !== undefined) {
    const width = parameter.shape[1]!;
    values.fill(0, padding * width, (padding + 1) * width);
  }
  return values;
}

const isNorm = ({ id, kind }: Parameter): boolean =>
  kind === 'ln1' || kind === 'ln2' || id.endsWith('norm.weight');

const startsAtZero = ({ family }: Architecture, { id }: Parameter): boolean =>
  id === 'embeddings.mask.weight' ||
  (family === 'deit' && /^embeddings\.(cls|distillation|position)\./.test(id));

function residualScale({ family, dimensions }: Architecture, { kind }: Parameter): number {
  const intoResidual = kind === 'o' || kind === 'fc2';
  return family === 'gpt2' && intoResidual ? 1 / Math.sqrt(2 * dimensions.numHiddenLayers) : 1;
}

/** Where each family's tables hold the padding token, unless config.json says otherwise. */
const paddingTokens: Readonly<Record<string, { readonly id: number; readonly tables: RegExp }>> = {
  bert: { id: 0, tables: /^embeddings\.word\./ },
  roberta: { id: 1, tables: /^embeddings\.(word|position)\./ },
};

/** The row that torch's Embedding keeps at zero for `padding_idx`. */
function paddingRow({ family, config }: Architecture, { id, shape }: Parameter) {
  const padding = paddingTokens[family];
  if (!padding?.tables.test(id)) return undefined;
  const row = config['pad_token_id'] === undefined ? padding.id : config['pad_token_id'];
  return typeof row === 'number' && row >= 0 && row < shape[0]! ? row : undefined;
}
