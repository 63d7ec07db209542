import type { Architecture, Parameter } from '../architecture';
import { randomGenerator, randomStreams } from '../random';

/**
 * A parameter of a model trained from scratch, as its family says that transformers draws it
 * (`_init_weights` of each `modeling_*.py`). ViT's truncation at ±2 lies 100 deviations out, so it is
 * left out.
 */
export function randomParameter(
  { initializerRange, parameters }: Architecture,
  parameter: Parameter,
  seed: number,
): Float32Array {
  const { draw, shape } = parameter;
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  if (draw.kind === 'zeros') return values;
  if (draw.kind === 'ones') return values.fill(1);
  if (draw.kind === 'constant') return values.fill(draw.value);
  const deviation = initializerRange * draw.scale;
  const random = randomGenerator(
    seed,
    randomStreams.weightInitialization,
    parameters.indexOf(parameter),
  );
  const { cutoff = Infinity } = draw;
  for (let index = 0; index < values.length; index++) {
    let value = random.normal();
    while (Math.abs(value) > cutoff) value = random.normal();
    values[index] = value * deviation;
  }
  if (draw.zeroRow !== undefined) {
    const width = shape[1]!;
    values.fill(0, draw.zeroRow * width, (draw.zeroRow + 1) * width);
  }
  return values;
}
