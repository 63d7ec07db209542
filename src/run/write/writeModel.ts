import { join } from 'node:path';
import { applyEdits, modify } from 'jsonc-parser';
import {
  assembleTensor,
  byStoredTensor,
  type Architecture,
  type ModelConfig,
  type Parameter,
} from '../../architecture';
import { writeCheckpoint, type TensorToWrite } from '../../checkpoint/writeCheckpoint';
import { readParameter, type Model } from '../open/model';
import { useModel } from '../open/resources';
import type { ParameterValues } from './parameterValues';
import { storedType } from './storedTypes';
import { writeNew } from './writeNew';

/** A model that was written, open until the end of the block which has it. */
export interface WrittenModel extends AsyncDisposable {
  /** Read from its files: what element types rounded is as they have it. */
  readonly values: ParameterValues;
  /** SHA-256 of its files. */
  sha256(): Promise<string>;
}

/**
 * Writes a whole checkpoint folder but for what `copyCompanions` puts there: weights in the source's
 * element types, and config.json with only the sizes changed. Gives it as anyone would open it.
 */
export async function writeModel(
  directory: string,
  source: Model,
  architecture: Architecture,
  values: ParameterValues,
  options: { readonly maxShardBytes?: number | undefined } = {},
): Promise<WrittenModel> {
  await writeCheckpoint(directory, tensorsToWrite(source, architecture, values), {
    finite: true,
    ...(options.maxShardBytes !== undefined && { maxShardBytes: options.maxShardBytes }),
  });
  await writeNew(join(directory, 'config.json'), configText(source, architecture.config));
  return openWritten(directory, architecture);
}

/** The stored tensors of an architecture, each assembled from its parameters when asked for. */
function tensorsToWrite(
  source: Model,
  architecture: Architecture,
  values: ParameterValues,
): TensorToWrite[] {
  return [...byStoredTensor(architecture.parameters)].flatMap(([tensor, parameters]) => {
    const [first] = parameters as readonly [Parameter];
    const write = (name: string): TensorToWrite => ({
      name,
      type: storedType(source, first),
      shape: first.stored.shape,
      values: async () => {
        const parts: Float32Array[] = [];
        for (const parameter of parameters) parts.push(await values(parameter));
        return assembleTensor(parameters, parts);
      },
    });
    return [tensor, ...(first.stored.alsoWrittenAs ?? [])].map(write);
  });
}

/**
 * The source's config.json with the changed fields edited in place: numbers such as 1e-12 or 0.0
 * keep the spelling that Python's types depend on.
 */
function configText(source: Model, config: ModelConfig): string {
  const original = source.checkpoint.config ?? {};
  let text = source.checkpoint.configText;
  if (text === undefined) throw new Error('a model has a config.json');
  for (const [field, value] of Object.entries(config)) {
    if (JSON.stringify(original[field]) === JSON.stringify(value)) continue;
    const formattingOptions = { insertSpaces: true, tabSize: 2 };
    text = applyEdits(text, modify(text, [field], value, { formattingOptions }));
  }
  return text;
}

/** Opens what was written. Throws when it is not the model it should be. */
async function openWritten(directory: string, architecture: Architecture): Promise<WrittenModel> {
  const model = await useModel(directory);
  const expected = JSON.stringify(architecture.dimensions);
  if (JSON.stringify(model.architecture.dimensions) !== expected) {
    await model[Symbol.asyncDispose]();
    throw new Error(`The checkpoint written to ${directory} does not read back as ${expected}`);
  }
  return {
    values: parameter => readParameter(model, parameter),
    sha256: () => model.checkpoint.sha256(),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
}
