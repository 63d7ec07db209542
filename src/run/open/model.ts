import { basename } from 'node:path';
import {
  recognizeArchitecture,
  extractParameter,
  twinTensors,
  type Architecture,
  type Dimensions,
  type Parameter,
  type Recognition,
} from '../../architecture';
import { openCheckpoint, type Checkpoint } from '../../checkpoint/checkpoint';
import { isReadableType } from '../../checkpoint/elementTypes';
import { CorruptFileError } from '../../errors';
import { allFinite } from '../../finite';
import { checkWeightTypes, notesOnQuantization } from './weightTypes';
import { smallInputName, sourcesOf, type Growth, type SmallValues } from '../../growth';
import type { ModelSizes, ModelSummary } from '../../protocol/model';
import { describeObjective } from './objective';

/** An opened checkpoint that was recognised as a model of a known family. */
export interface Model extends Recognition {
  /** The path as the person gave it. */
  readonly path: string;
  readonly checkpoint: Checkpoint;
}

/** Opens a checkpoint and recognises its architecture; reads little more than headers. */
export async function openModel(path: string): Promise<Model> {
  const checkpoint = await openCheckpoint(path);
  try {
    return { path, checkpoint, ...(await recognizeModel(checkpoint)) };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

/**
 * The model that an open checkpoint holds. Reads headers, and of tables that config.json ties as much
 * as it takes to know whether they are the same. Throws UserError when it is no model we can use.
 */
export async function recognizeModel(checkpoint: Checkpoint): Promise<Recognition> {
  const { config, noConfig, tensors, absent } = checkpoint;
  if (noConfig) throw noConfig;
  const different = new Set<string>();
  for (const [output, shared] of twinTensors(config, tensors)) {
    if (!(await haveSameValues(checkpoint, output, shared))) different.add(output);
  }
  const recognition = recognizeArchitecture(config, tensors, { absent, different });
  const types = checkWeightTypes(checkpoint, recognition.names);
  const nowhere = [...absent].map(([name, shard]) => ({
    name,
    reason: `the index places it in ${shard}, which does not hold it`,
  }));
  return {
    ...recognition,
    ignored: [...recognition.ignored, ...nowhere],
    notes: [...checkpoint.notes, ...recognition.notes, ...types, ...notesOnQuantization(config)],
  };
}

/** Values of two tensors that are compared at a time. */
const comparedElements = 2 ** 20;

/** True for tensors of one shape with equal values, or of a type whose values cannot be read at all. */
async function haveSameValues(checkpoint: Checkpoint, a: string, b: string): Promise<boolean> {
  const [first, second] = [a, b].map(name => checkpoint.tensors.get(name)!);
  if (!first || !second || first.shape.join() !== second.shape.join()) return false;
  if (!isReadableType(first.type) || !isReadableType(second.type)) return true;
  const count = first.shape.reduce((product, length) => product * length, 1);
  for (let start = 0; start < count; start += comparedElements) {
    const length = Math.min(comparedElements, count - start);
    const x = await checkpoint.readRange(a, start, length);
    const y = await checkpoint.readRange(b, start, length);
    if (x.some((value, index) => value !== y[index])) return false;
  }
  return true;
}

/** A logical parameter's values. Throws CorruptFileError when one of them is NaN or infinite. */
export async function readParameter(model: Model, parameter: Parameter): Promise<Float32Array> {
  const name = storedName(model, parameter);
  const stored = await model.checkpoint.readFloat32(name);
  const values = extractParameter(parameter, stored);
  if (!allFinite(values)) {
    const bad = stored.findIndex(value => !Number.isFinite(value));
    throw new CorruptFileError(
      `${basename(model.path)}: tensor ${name} holds ${stored[bad]} at element ${bad}.`,
      'Growing needs finite weights: go back to a checkpoint from before training diverged.',
    );
  }
  return values;
}

/** The tensor on disk that holds a parameter. */
function storedName(model: Model, parameter: Parameter): string {
  const name = model.names.get(parameter.stored.tensor);
  if (name === undefined) throw new Error(`${parameter.id} is not in the checkpoint`);
  return name;
}

/** Every parameter of a model by id. */
export async function readParameters(model: Model): Promise<Record<string, Float32Array>> {
  const values: Record<string, Float32Array> = {};
  for (const parameter of model.architecture.parameters) {
    values[parameter.id] = await readParameter(model, parameter);
  }
  return values;
}

/** The small model as growth reads it: each module of all layers as one stack. */
export const readSmallValues = (model: Model, growth: Growth): Promise<SmallValues> =>
  stackSources(growth, source => readParameter(model, source));

/** Something of each parameter of a small model, in the same stacks; zeros where it has nothing. */
export async function stackSources(
  growth: Growth,
  read: (source: Parameter) => Promise<Float32Array | undefined>,
): Promise<SmallValues> {
  const values: Record<string, Float32Array> = {};
  for (const parameter of growth.target.parameters) {
    const name = smallInputName(parameter);
    if (values[name]) continue;
    const sources = sourcesOf(growth, parameter);
    const [first] = sources as readonly [Parameter];
    const size = first.shape.reduce((product, length) => product * length, 1);
    const stack = new Float32Array(sources.length * size);
    for (const [index, source] of sources.entries()) {
      const part = await read(source);
      if (part) stack.set(part, index * size);
    }
    values[name] = stack;
  }
  return values;
}

/** Sizes by the names of options, plans and receipts. */
export const summarizeSizes = (dimensions: Dimensions): ModelSizes => ({
  layers: dimensions.numHiddenLayers,
  hidden: dimensions.hiddenSize,
  heads: dimensions.numAttentionHeads,
  ...(dimensions.numKeyValueHeads !== undefined && { kvHeads: dimensions.numKeyValueHeads }),
  ...(dimensions.headDim !== undefined && { headSize: dimensions.headDim }),
  ffn: dimensions.intermediateSize,
});

/** A model's sizes for plans and receipts. */
export function summarize(architecture: Architecture): ModelSummary {
  const { family, modelClass, dimensions, parameters } = architecture;
  return {
    family,
    modelClass,
    ...summarizeSizes(dimensions),
    learns: describeObjective(architecture),
    parameters: parameters.reduce(
      (sum, { shape }) => sum + shape.reduce((product, length) => product * length, 1),
      0,
    ),
  };
}
