import type { Architecture, Parameter } from '../architecture';
import { randomGenerator, randomStreams } from '../random';

/** The first rows and columns of a matrix. */
export interface Block {
  readonly rows: number;
  readonly columns: number;
}

/**
 * A parameter of a model trained from scratch, as its family says that transformers draws it
 * (`_init_weights` of each `modeling_*.py`). ViT's truncation at ±2 lies 100 deviations out, so it is
 * left out. Entries of the block `known` are the caller's to fill: none is drawn for them, and all others
 * are what they would be without it.
 */
export function randomParameter(
  { initializerRange, parameters }: Architecture,
  parameter: Parameter,
  seed: number,
  known: Block = { rows: 0, columns: 0 },
): Float32Array {
  const { draw, shape } = parameter;
  const [rows = 1, columns = 1] = shape;
  const values = new Float32Array(rows * columns);
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
  const normal = (): number => {
    let value = random.normal();
    while (Math.abs(value) > cutoff) value = random.normal();
    return value;
  };
  const skip = (count: number): void => {
    if (cutoff === Infinity) random.skipNormals(count);
    else for (let skipped = 0; skipped < count; skipped++) normal();
  };
  for (let row = 0; row < rows; row++) {
    const first = row < known.rows ? known.columns : 0;
    skip(first);
    for (let column = first; column < columns; column++) {
      values[row * columns + column] = normal() * deviation;
    }
  }
  if (draw.zeroRow !== undefined) {
    values.fill(0, draw.zeroRow * columns, (draw.zeroRow + 1) * columns);
  }
  return values;
}
