import { writeCheckpoint } from '../checkpoint/writeCheckpoint';
import type { Engine } from '../engine';
import {
  growParameter,
  operatorsIn,
  type Growth,
  type OperatorValues,
  type SmallValues,
} from '../growth';
import type { ParameterValues } from './writeModel';

/** Computes grown parameters on the engine when they are asked for, one at a time. */
export function parameterGrower(
  engine: Engine,
  growth: Growth,
  operators: OperatorValues,
  small: SmallValues,
): ParameterValues {
  return async parameter => {
    const { program, feeds } = growParameter(growth, parameter, operators);
    const executable = await engine.compile(program);
    try {
      const { grown } = await executable.run(feeds(operators, small));
      return grown as Float32Array;
    } finally {
      await executable.dispose();
    }
  };
}

/** Writes operators.safetensors into a folder. */
export async function writeOperators(
  directory: string,
  growth: Growth,
  operators: OperatorValues,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const tensors = operatorsIn(growth, operators).map(({ name, shape }) => ({
    name,
    type: 'F32' as const,
    shape,
    values: () => Promise.resolve(operators[name]!),
  }));
  await writeCheckpoint(directory, tensors, { baseName: 'operators', metadata: { ...metadata } });
}
