import type { Architecture, Parameter } from '../architecture';
import { randomGenerator, randomStreams } from '../random';

/**
 * A parameter of a model trained from scratch, as transformers initialises these families: weights
 * and embeddings N(0, initializer_range), norms 1, biases 0. GPT-2's projections back into the
 * residual stream are drawn smaller by √(2 · layers), the number of sums they go into.
 */
export function randomParameter(
  { config, family, dimensions, parameters }: Architecture,
  parameter: Parameter,
  seed: number,
): Float32Array {
  const values = new Float32Array(parameter.shape.reduce((product, size) => product * size, 1));
  if (parameter.part === 'bias') return values;
  if (isNorm(parameter)) return values.fill(1);
  const range = Number(config['initializer_range'] ?? 0.02);
  const intoResidual = parameter.kind === 'o' || parameter.kind === 'fc2';
  const scaled = family === 'gpt2' && intoResidual;
  const deviation = scaled ? range / Math.sqrt(2 * dimensions.numHiddenLayers) : range;
  const random = randomGenerator(
    seed,
    randomStreams.weightInitialization,
    parameters.indexOf(parameter),
  );
  return values.map(() => random.normal() * deviation);
}

const isNorm = ({ id, kind }: Parameter): boolean =>
  kind === 'ln1' || kind === 'ln2' || id.endsWith('norm.weight');
