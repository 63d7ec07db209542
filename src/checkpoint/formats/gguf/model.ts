import { CorruptFileError, UnsupportedError, UserError, type Note } from '../../../errors';
import type { JsonObject } from '../../jsonText';
import type { ReadBytes } from '../../layouts/layout';
import { quoted } from '../../names';
import type { TensorInfo } from '../../tensor';
import type { GgufArchitecture } from './architecture';
import { architectures } from './architectures';
import { configOf } from './config';
import { Facts } from './facts';
import type { GgufHeader } from './header';
import { ropeScaling } from './rope';
import { asBefore, asStored, type Heads } from './tensors';
import type { Value } from './values';
import { notesOnQuantised, requireReadable } from './quantisation';

/** A file's tensors, as those of a model of transformers where it is one. */
export interface GgufModel {
  readonly tensors: readonly TensorInfo[];
  readonly config?: JsonObject;
  /** Why there is no config. */
  readonly noConfig?: UserError;
  readonly notes: readonly Note[];
}

/** The model of transformers that a file holds, or its tensors as they are called in the file. */
export async function modelOf(
  { values, tensors }: GgufHeader,
  file: string,
  read: ReadBytes,
): Promise<GgufModel> {
  const stored = new Map(tensors.map(tensor => [tensor.name, asStored(tensor, file)]));
  try {
    const { name, architecture } = known(values.get('general.architecture'));
    const facts = new Facts(values, `${name}.`, new Set(stored.keys()));
    requireReadable(tensors);
    const words = stored.get('token_embd.weight')?.shape[0];
    const config = configOf(architecture, facts, values, words);
    const { rope_theta: theta } = config;
    const rope = await ropeScaling(facts, stored, read, typeof theta === 'number' ? theta : 10_000);
    return {
      tensors: renamed(stored, architecture, headsOf(config), file),
      config: { ...config, ...rope },
      notes: [...notesOnQuantised(tensors), ...notesOn(facts)],
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { tensors: [...stored.values()], noConfig: error, notes: [] };
  }
}

/** @throws UserError for a model of an architecture that is not known */
function known(named: Value | undefined): {
  readonly name: string;
  readonly architecture: GgufArchitecture;
} {
  const names = Object.keys(architectures).sort().join(', ');
  if (typeof named !== 'string') {
    throw new CorruptFileError(
      'The metadata does not say which architecture the model has (general.architecture).',
      'Convert the model anew with a current version of llama.cpp.',
    );
  }
  if (Object.hasOwn(architectures, named)) {
    return { name: named, architecture: architectures[named]! };
  }
  throw new UnsupportedError(
    `The file holds a model of llama.cpp's architecture ${quoted(named)}, which is not supported.`,
    `Supported in such files are ${names}.`,
  );
}

function headsOf(config: JsonObject): Heads {
  const { num_attention_heads: decoder, n_head: gpt2, num_key_value_heads: keys } = config;
  const queries = typeof decoder === 'number' ? decoder : Number(gpt2);
  return { queries, keys: typeof keys === 'number' ? keys : queries };
}

/** Tensors under transformers' names, as they were before they were converted. @throws CorruptFileError */
function renamed(
  stored: ReadonlyMap<string, TensorInfo>,
  { names, done = {} }: GgufArchitecture,
  heads: Heads,
  file: string,
): TensorInfo[] {
  const found = new Map<string, TensorInfo>();
  for (const [name, tensor] of stored) {
    const [, layer, own, end = ''] = /^(blk\.\d+\.)?(.*?)(\.weight|\.bias)?$/s.exec(name)!;
    const number = layer === undefined ? '' : layer.slice(4, -1);
    const module = layer === undefined ? own! : `blk.{n}.${own!}`;
    const theirs = Object.hasOwn(names, module) ? names[module]! : undefined;
    const newName = theirs === undefined ? name : theirs.replace('{n}', number) + end;
    if (found.has(newName)) {
      throw new CorruptFileError(
        `${file}: two tensors are ${quoted(newName)}, one of them as ${quoted(name)}.`,
        'Convert the model anew with a current version of llama.cpp.',
      );
    }
    const isNorm = own!.endsWith('norm') && end === '.weight';
    const change = isNorm && done['norm'] ? done['norm'] : done[module];
    const changed = { ...tensor, name: newName };
    found.set(newName, change ? asBefore(changed, change, heads) : changed);
  }
  return [...found.values()];
}

function notesOn(facts: Facts): Note[] {
  const entries = facts.unasked();
  if (entries.length === 0) return [];
  const shown = entries.slice(0, 5).map(quoted).join(', ');
  const more = entries.length > 5 ? ` and ${entries.length - 5} more` : '';
  return [
    {
      message: `The metadata says ${shown}${more} of the model, which is not followed.`,
      remedy: 'Check that the model does not depend on it.',
    },
  ];
}
