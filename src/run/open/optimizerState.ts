import { basename, join } from 'node:path';
import { extractParameter, type Parameter } from '../../architecture';
import { openCheckpoint, type Checkpoint } from '../../checkpoint/checkpoint';
import { CorruptFileError, UserError, type Note } from '../../errors';
import { identify } from '../../files';
import { counted } from '../../format';
import { allFinite } from '../../finite';
import type { Growth, Moment, SmallValues } from '../../growth';
import { set } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';
import { defaultTrainSettings } from '../settings';
import { stackSources, type Model } from './model';
import { openTorchOptimizer, torchStateFile } from './torchOptimizer';

/** What `optimizer.safetensors` is called before its suffix. */
export const stateFile = 'optimizer';

export const moments: readonly Moment[] = ['exp_avg', 'exp_avg_sq'];

export const momentTensor = (moment: Moment, tensor: string): string => `${moment}.${tensor}`;

/** A parameter whose tensor holds values as they are: a gradient knows nothing of a norm's 1 +. */
export const withoutOffset = (parameter: Parameter): Parameter => ({
  ...parameter,
  stored: { ...parameter.stored, plus: 0 },
});

/** What an optimizer knew of a model's gradients when it was written; open until its block ends. */
export interface OptimizerState extends AsyncDisposable {
  /** Updates that the moments have seen. */
  readonly updates: number;
  /** Of its files. */
  readonly sha256: string;
  /** Their names, beside the weights. */
  readonly files: readonly string[];
  /** What the moments were averaged with, where that is another trainer's. */
  readonly betas?: readonly number[];
  /** A used parameter's moment. Throws CorruptFileError. */
  readonly read: (parameter: Parameter, moment: Moment) => Promise<Float32Array>;
}

/** Whether to go on with a state: as asked, or wherever that can be. */
export type StateWish = 'use' | 'reset' | undefined;

/** The state that a run goes on with, where it does, and what is to be said of it. */
export interface FoundState {
  readonly state: OptimizerState | undefined;
  readonly notes: readonly Note[];
}

const begin = set('optimizerState', 'reset');

/**
 * The optimizer's state beside a model, to be gone on with unless a person wants none of it.
 * @param weightsHash SHA-256 of the model's files, asked for where there is a state
 * @param unusable why a run could not use the one of a file, where that is so
 * @throws UserError where a state is asked for and there is none that can be used
 */
export async function findOptimizerState(
  model: Model,
  weightsHash: () => Promise<string>,
  wish: StateWish,
  unusable?: (file: string) => string | undefined,
): Promise<FoundState> {
  if (wish === 'reset') return { state: undefined, notes: [] };
  try {
    const path = await stateOf(model);
    if (path === undefined) {
      if (wish === undefined) return { state: undefined, notes: [] };
      throw new UserError(
        `${model.path} has no optimizer.safetensors, the optimizer’s state of a training.`,
        advise`Leave it behind: ${begin}.`,
      );
    }
    const why = unusable?.(basename(path));
    if (why !== undefined) throw new UserError(why, advise`Leave it behind: ${begin}.`);
    const state =
      basename(path) === torchStateFile
        ? await openTorchState(path, model)
        : await openState(path, model, await weightsHash());
    const message = `The optimizer goes on with what it knew after ${counted(state.updates, 'update')} (${basename(path)}).`;
    return {
      state,
      notes: [{ message: message + onOther(state), remedy: advise`For a fresh one, ${begin}.` }],
    };
  } catch (error) {
    if (wish === 'use' || !(error instanceof UserError)) throw error;
    const message = `${error.message} The optimizer begins anew.`;
    return { state: undefined, notes: [{ message, remedy: advise`To say so, ${begin}.` }] };
  }
}

/** What is to be said of another trainer's state, which names no weights and may have averaged otherwise. */
function onOther({ betas }: OptimizerState): string {
  if (!betas) return '';
  const ours = defaultTrainSettings.betas;
  const taken = ' It is taken to belong to the weights beside it.';
  return betas.join() === ours.join()
    ? taken
    : `${taken} Its betas were ${betas.join(' and ')}; from here on they are ${ours.join(' and ')}.`;
}

async function stateOf({ checkpoint }: Model): Promise<string | undefined> {
  const ours = ['.safetensors', '.safetensors.index.json'].map(end => `${stateFile}${end}`);
  for (const name of [...ours, torchStateFile]) {
    const path = join(checkpoint.directory, name);
    if (await identify(path)) return path;
  }
  return undefined;
}

/** A state that transformers' Trainer has left beside the weights. */
async function openTorchState(path: string, model: Model): Promise<OptimizerState> {
  const { file, updates, numbers, betas } = await openTorchOptimizer(path, model);
  try {
    return {
      updates,
      sha256: await file.sha256(),
      files: [torchStateFile],
      ...(betas && { betas }),
      read: (parameter, moment) => {
        const name = `${numbers.get(parameter.stored.tensor)!}.${moment}`;
        return readMoment(path, file, parameter, { moment, name });
      },
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openState(path: string, model: Model, weights: string): Promise<OptimizerState> {
  const file = await openCheckpoint(path);
  try {
    const updates = updatesOf(path, file, weights);
    requireTensors(path, file, model);
    const sha256 = await file.sha256();
    return {
      updates,
      sha256,
      files: file.files.map(path => basename(path)),
      read: (parameter, moment) => {
        const name = momentTensor(moment, parameter.stored.tensor);
        return readMoment(path, file, parameter, { moment, name });
      },
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function updatesOf(path: string, { metadata }: Checkpoint, weights: string): number {
  const updates = Number(metadata['updates']);
  if (metadata['format'] !== 'ligo' || !Number.isSafeInteger(updates) || updates < 1) {
    throw new CorruptFileError(
      `${path} does not say after how many updates it was written.`,
      advise`Leave it behind: ${begin}.`,
    );
  }
  if (metadata['weights'] !== weights) {
    throw new UserError(
      `${path} belongs to other weights than those beside it.`,
      advise`Leave it behind: ${begin}.`,
    );
  }
  return updates;
}

function requireTensors(path: string, { tensors }: Checkpoint, { architecture }: Model): void {
  for (const { used, stored } of architecture.parameters) {
    if (!used) continue;
    for (const moment of moments) {
      const name = momentTensor(moment, stored.tensor);
      if (tensors.get(name)?.shape.join() === stored.shape.join()) continue;
      throw new CorruptFileError(
        `${path} has no tensor ${name} of shape [${stored.shape.join(', ')}].`,
        advise`Leave it behind: ${begin}.`,
      );
    }
  }
}

async function readMoment(
  path: string,
  file: Checkpoint,
  parameter: Parameter,
  { moment, name }: { readonly moment: Moment; readonly name: string },
): Promise<Float32Array> {
  const values = extractParameter(withoutOffset(parameter), await file.readFloat32(name));
  const isMoment = moment === 'exp_avg' || values.every(value => value >= 0);
  if (allFinite(values) && isMoment) return values;
  throw new CorruptFileError(
    `${path}: tensor ${name} holds values that are no ${moment === 'exp_avg' ? 'numbers' : 'squares'}.`,
    advise`Leave it behind: ${begin}.`,
  );
}

/** Moments of a small model as growth reads them. */
export const readSmallMoments = (
  state: OptimizerState,
  growth: Growth,
  moment: Moment,
): Promise<SmallValues> =>
  stackSources(growth, async parameter =>
    parameter.used ? state.read(parameter, moment) : undefined,
  );
