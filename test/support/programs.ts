import type { Engine, Executable, NamedData } from '../../src/engine';
import { elementCount, inputName, type Program, type TensorData } from '../../src/graph';

/** Runs a program once on an engine and lets it go. */
export async function runOnce(
  engine: Engine,
  program: Program,
  feeds: NamedData,
  kept: NamedData = {},
): Promise<Record<string, TensorData>> {
  return withExecutable(engine, program, executable => {
    executable.load(kept);
    return executable.run(feeds);
  });
}

/** Compiles a program, uses it, and disposes of it whatever happens. */
export async function withExecutable<T>(
  engine: Engine,
  program: Program,
  use: (executable: Executable) => Promise<T>,
): Promise<T> {
  const executable = await engine.compile(program);
  try {
    return await use(executable);
  } finally {
    await executable.dispose();
  }
}

/** Zeros for the moments that AdamW keeps beside every parameter. */
export const zeroMoments = (program: Program): Record<string, Float32Array> =>
  Object.fromEntries(
    program.state
      .map(({ input }) => input)
      .filter(input => inputName(input).startsWith('adam.'))
      .map(input => [inputName(input), new Float32Array(elementCount(input.shape))]),
  );
