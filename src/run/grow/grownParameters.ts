import { createHash } from 'node:crypto';
import { writeCheckpoint } from '../../checkpoint/writeCheckpoint';
import { openCheckpoint } from '../../checkpoint/checkpoint';
import type { Parameter } from '../../architecture';
import type { Engine, Executable } from '../../engine';
import { CorruptFileError } from '../../errors';
import { allFinite } from '../../finite';
import type { Program } from '../../graph';
import { serializeProgram } from '../../graph/onnx/serialize';
import {
  checkOperators,
  freshPart,
  fromReleasedNames,
  growParameter,
  isReleasedNaming,
  operatorsIn,
  type Freshness,
  type Growth,
  type OperatorValues,
  type SmallValues,
} from '../../growth';
import type { ParameterValues } from '../write/parameterValues';

/** Computes parameters until the end of the block which has it. */
export interface Grower extends AsyncDisposable {
  readonly values: ParameterValues;
}

/**
 * Computes grown parameters on the engine when they are asked for, one at a time, and adds their
 * random part. What is compiled for a layer serves for all that are made alike.
 */
export function parameterGrower(
  engine: Engine,
  growth: Growth,
  operators: OperatorValues,
  small: SmallValues,
  freshness?: Freshness,
): Grower {
  const ofLayers = new Map<string, Executable>();
  const compiled = async ({ kind }: Parameter, program: Program): Promise<Executable> => {
    if (!kind) return engine.compile(program);
    const form = programForm(program);
    const executable = ofLayers.get(form) ?? (await engine.compile(program));
    ofLayers.set(form, executable);
    return executable;
  };
  return {
    values: async parameter => {
      const { program, feeds } = growParameter(growth, parameter, operators);
      const executable = await compiled(parameter, program);
      try {
        const { grown } = await executable.run(feeds(operators, small));
        return sum(grown as Float32Array, freshness && freshPart(growth, parameter, freshness));
      } finally {
        if (!parameter.kind) await executable.dispose();
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const executable of ofLayers.values()) await executable.dispose();
      ofLayers.clear();
    },
  };
}

/** The same for programs that compute the same of inputs in the same order. */
const programForm = (program: Program): string =>
  createHash('sha256').update(serializeProgram(program).bytes).digest('base64');

/** Adds to the values themselves. */
function sum(values: Float32Array, added: Float32Array | undefined): Float32Array {
  if (!added) return values;
  for (let index = 0; index < values.length; index++) {
    values[index] = values[index]! + added[index]!;
  }
  return values;
}

/** What makes the large model's weights of the small model's. */
export interface AppliedOperators {
  readonly operators: OperatorValues;
  /** Absent where nothing random is added. */
  readonly freshness?: Freshness | undefined;
}

/** Writes operators.safetensors into a folder; `source` is the SHA-256 of the small model's files. */
export async function writeOperators(
  directory: string,
  growth: Growth,
  { operators, freshness }: AppliedOperators,
  source: string,
): Promise<void> {
  const tensors = operatorsIn(growth, operators).map(({ name, shape }) => ({
    name,
    type: 'F32' as const,
    shape,
    values: () => Promise.resolve(operators[name]!),
  }));
  const metadata = {
    format: 'ligo',
    source,
    ...(freshness && { freshness: `${freshness.factor}`, freshnessSeed: `${freshness.seed}` }),
  };
  await writeCheckpoint(directory, tensors, { baseName: 'operators', metadata });
}

/**
 * Operators of a file under our names, checked against the growth, what else it says is added, and the
 * SHA-256 of what was read.
 */
export async function readOperators(
  path: string,
  growth: Growth,
): Promise<AppliedOperators & { readonly sha256: string }> {
  const file = await openCheckpoint(path);
  try {
    const values: Record<string, Float32Array> = {};
    for (const name of file.tensors.keys()) {
      const data = await file.readFloat32(name);
      if (!allFinite(data)) {
        throw new CorruptFileError(
          `${path}: the operator ${name} holds values that are no numbers.`,
          'Use operators from a run that did not diverge.',
        );
      }
      values[name] = data;
    }
    const sha256 = await file.sha256();
    return isReleasedNaming(file.tensors.keys())
      ? { sha256, operators: fromReleasedNames(growth, values) }
      : {
          sha256,
          operators: checkOperators(growth, values),
          freshness: freshnessIn(path, file.metadata),
        };
  } finally {
    await file.close();
  }
}

function freshnessIn(
  path: string,
  metadata: Readonly<Record<string, string>>,
): Freshness | undefined {
  if (metadata['freshness'] === undefined) return undefined;
  const [factor, seed] = [Number(metadata['freshness']), Number(metadata['freshnessSeed'])];
  if (Number.isFinite(factor) && factor > 0 && Number.isSafeInteger(seed) && seed >= 0) {
    return { factor, seed };
  }
  throw new CorruptFileError(
    `${path}: its metadata do not say what random part belongs to the operators.`,
    'Use operators.safetensors as a growth wrote it.',
  );
}
