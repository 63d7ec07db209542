import { basename, dirname } from 'node:path';

import { hubPlaceOf, isHubReference, readHubReference } from './hubReference';

/** What transformers looks for in a folder, in its order. */
export const usualFiles: readonly string[] = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
];

/** Parts of a model of TensorFlow.js, and what trainers write beside one: optimizers, orders of data, settings. */
const besides =
  /^group\d+-shard\d+of\d+\.bin$|^(optimizer|scheduler|scaler|sampler|rng_state|random_states|training_args)(_\d+)*\.(bin|pt|pth)$|_optim_states\.pt$|^optimizer(-\d+-of-\d+)?\.safetensors(\.index\.json)?$/i;

/** Whether a file is called as nothing but weights are. */
export const hasOwnName = (path: string): boolean =>
  /\.(safetensors(\.index\.json)?|gguf|bin\.index\.json)$|[\\/](pytorch_model|tf_model|flax_model)[^\\/]*$/.test(
    path,
  );

/** Whether a file lies beside a model or is a part of one, by its name. */
export const liesBeside = (name: string): boolean => besides.test(name);

/** Whether a file beside a model holds what its training goes on with, and nothing of the model. */
export const isTrainingState = (name: string): boolean =>
  /^(trainer_state\.json|random_states_\d+\.pkl)$/.test(name) ||
  (liesBeside(name) && !/^group\d+-shard/i.test(name));

/** Ends of the names of files of weights, by kind: of a folder the first kind is taken of which there is one. */
export const weightKinds: readonly (readonly string[])[] = [
  ['.safetensors.index.json'],
  ['.safetensors'],
  ['.bin.index.json'],
  ['.bin', '.pt', '.pth', '.ckpt', '.pt.tar', '.pth.tar'],
  ['.gguf'],
  ['.msgpack'],
  ['.h5', '.hdf5'],
  ['.keras'],
  ['model.json'],
  ['.npz', '.npy'],
  ['.onnx'],
];

/** Files that tell in the editor of checkpoints that are known and not read, and that hold no weights themselves. */
export const foreignMarks: readonly string[] = [
  '__0_0.distcp',
  'zero_to_fp32.py',
  'latest_checkpointed_iteration.txt',
  '_CHECKPOINT_METADATA',
];

/**
 * What a model is called by its path: its folder's name, also when one of its files was given; by its name
 * on the Hub where it comes from there.
 */
export function modelNameOf(path: string): string {
  const onHub = isHubReference(path) ? readHubReference(path) : hubPlaceOf(path);
  if (onHub) return basename(onHub.id);
  return basename(/\.(safetensors|json|bin)$/.test(path) ? dirname(path) : path);
}
