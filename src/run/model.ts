import { basename } from 'node:path';
import {
  recognizeArchitecture,
  extractParameter,
  type Architecture,
  type Parameter,
} from '../architecture';
import { openCheckpoint, type Checkpoint } from '../checkpoint/checkpoint';
import { CorruptFileError, type Note } from '../errors';
import { checkWeightTypes, notesOnQuantization } from './weightTypes';
import { smallInputName, sourcesOf, type Growth, type SmallValues } from '../growth';
import type { ModelSummary } from '../protocol/events';

/** An opened checkpoint that was recognised as a model of a known family. */
export interface Model {
  /** The path as the person gave it. */
  readonly path: string;
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  /** On-disk name of each stored tensor the architecture declares. */
  readonly names: ReadonlyMap<string, string>;
  readonly ignored: readonly { readonly name: string; readonly reason: string }[];
  /** What a person should know of it, in every command and in the receipt. */
  readonly notes: readonly Note[];
}

/** What its headers make of a checkpoint. Throws UserError when that is no model we can use. */
export function recognizeModel(
  checkpoint: Checkpoint,
): Pick<Model, 'architecture' | 'names' | 'ignored' | 'notes'> {
  const { config, tensors, absent } = checkpoint;
  const { architecture, names, ignored, notes } = recognizeArchitecture(config, tensors, absent);
  const types = checkWeightTypes(checkpoint, names);
  const nowhere = [...absent].map(([name, shard]) => ({
    name,
    reason: `the index places it in ${shard}, which does not hold it`,
  }));
  return {
    ...{ architecture, names, ignored: [...ignored, ...nowhere] },
    notes: [...checkpoint.notes, ...notes, ...types, ...notesOnQuantization(config)],
  };
}

/** Opens a checkpoint and recognises its architecture; reads headers only. */
export async function openModel(path: string): Promise<Model> {
  const checkpoint = await openCheckpoint(path);
  try {
    return { path, checkpoint, ...recognizeModel(checkpoint) };
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

/** A logical parameter's values. Throws CorruptFileError when one of them is NaN or infinite. */
export async function readParameter(model: Model, parameter: Parameter): Promise<Float32Array> {
  const name = storedName(model, parameter);
  const stored = await model.checkpoint.readFloat32(name);
  const values = extractParameter(parameter, stored);
  if (!values.every(Number.isFinite)) {
    const bad = stored.findIndex(value => !Number.isFinite(value));
    throw new CorruptFileError(
      `${basename(model.path)}: tensor ${name} holds ${stored[bad]} at element ${bad}.`,
      'Growing needs finite weights: go back to a checkpoint from before training diverged.',
    );
  }
  return values;
}

/** The tensor on disk that holds a parameter. */
export function storedName(model: Model, parameter: Parameter): string {
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
export async function readSmallValues(model: Model, growth: Growth): Promise<SmallValues> {
  const values: Record<string, Float32Array> = {};
  for (const parameter of growth.target.parameters) {
    const name = smallInputName(parameter);
    if (values[name]) continue;
    const sources = sourcesOf(growth, parameter);
    const [first] = sources as readonly [Parameter];
    const size = first.shape.reduce((product, length) => product * length, 1);
    const stack = new Float32Array(sources.length * size);
    for (const [index, source] of sources.entries()) {
      stack.set(await readParameter(model, source), index * size);
    }
    values[name] = stack;
  }
  return values;
}

/** A model's sizes for plans and receipts. */
export function summarize({
  family,
  modelClass,
  dimensions,
  parameters,
}: Architecture): ModelSummary {
  return {
    family,
    modelClass,
    layers: dimensions.numHiddenLayers,
    hidden: dimensions.hiddenSize,
    heads: dimensions.numAttentionHeads,
    ffn: dimensions.intermediateSize,
    parameters: parameters.reduce(
      (sum, { shape }) => sum + shape.reduce((product, length) => product * length, 1),
      0,
    ),
  };
}
