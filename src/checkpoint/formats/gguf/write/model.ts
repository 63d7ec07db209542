import { UnsupportedError } from '../../../../errors';
import { quoted } from '../../../names';
import type { TensorInfo } from '../../../tensor';
import type { GgufArchitecture } from '../architecture';
import { architectures } from '../architectures';
import { forFile } from '../tensors';
import { bool, float32, uint32, type Entry } from './entries';
import { otherWay } from './otherWay';
import { ropeEntries } from './rope';

/** A model that is written, in numbers that its config.json may leave to its class. */
export interface WrittenModel {
  readonly config: Readonly<Record<string, unknown>>;
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly headSize: number;
  readonly feedForward: number;
  /** Rows of the table of words. */
  readonly vocabulary: number;
  readonly context: number;
}

/** An architecture of llama.cpp's by its name. */
export interface NamedArchitecture {
  readonly name: string;
  readonly architecture: GgufArchitecture;
}

/** Models of these are read, but llama.cpp computes them by more than is written here. */
const unwritten = new Set(['gemma3', 'phi3']);
/** Models that llama.cpp computes as those of another family. */
const alike: Readonly<Record<string, string>> = { mistral: 'llama' };

/** The architecture of a family's models. @throws UnsupportedError where none is written here */
export function architectureFor(family: string): NamedArchitecture {
  const type = Object.hasOwn(alike, family) ? alike[family]! : family;
  const writable = Object.entries(architectures).filter(([name]) => !unwritten.has(name));
  const found = writable.find(([, { modelType }]) => modelType === type);
  if (found) return { name: found[0], architecture: found[1] };
  const families = [...writable.map(([, { modelType }]) => modelType), ...Object.keys(alike)];
  throw new UnsupportedError(
    `No GGUF file is written of a model of the family ${quoted(family)}; they are of ${families.sort().join(', ')}.`,
    otherWay,
  );
}

/** Entries whose numbers are whole; all other numbers are not. */
const wholeNumbers = new Set(['attention.sliding_window']);
/** What the classes take where config.json has no ε. */
const usualEpsilon: Readonly<Record<string, number>> = {
  'attention.layer_norm_rms_epsilon': 1e-6,
  'attention.layer_norm_epsilon': 1e-5,
};

/** The metadata that says which model a file holds, after `general`. @throws UnsupportedError */
export function modelEntries(
  { name, architecture }: NamedArchitecture,
  model: WrittenModel,
): Entry[] {
  const { config, layers, hidden, heads, keyHeads, headSize, feedForward } = model;
  const sizes: Readonly<Record<string, number>> = {
    context_length: model.context,
    block_count: layers,
    feed_forward_length: feedForward,
    embedding_length: hidden,
    'attention.head_count': heads,
    'attention.head_count_kv': keyHeads,
    'attention.key_length': headSize,
  };
  const entries: Entry[] = [['vocab_size', uint32(model.vocabulary)]];
  for (const [entry, field] of Object.entries(architecture.fields)) {
    const value = sizes[entry] ?? config[field] ?? usualEpsilon[entry];
    if (entry === 'rope.freq_base') continue;
    if (typeof value === 'boolean') entries.push([entry, bool(value)]);
    if (typeof value !== 'number') continue;
    const isWhole = entry in sizes || wholeNumbers.has(entry);
    entries.push([entry, isWhole ? uint32(value) : float32(value)]);
  }
  if ('attention.key_length' in architecture.fields) {
    entries.push(['attention.value_length', uint32(headSize)]);
  }
  if ('rope.freq_base' in architecture.fields) {
    entries.push(...ropeEntries(config, headSize, architecture.turnsParts ?? false));
  }
  return entries.map(([entry, value]) => [`${name}.${entry}`, value]);
}

/**
 * A tensor of transformers' under llama.cpp's name, with its elements where they belong in the file.
 * @throws UnsupportedError for one that the architecture does not have
 */
export function tensorForFile(
  { name: architectureName, architecture }: NamedArchitecture,
  tensor: TensorInfo,
  { heads, keyHeads }: WrittenModel,
): TensorInfo {
  const { names, done = {} } = architecture;
  const [, module, end] = /^(.*?)(\.weight|\.bias)?$/s.exec(tensor.name)!;
  const layer = /\.(\d+)\./.exec(module!)?.[1];
  const general = layer === undefined ? module! : module!.replace(`.${layer}.`, '.{n}.');
  // Models without a head have no name before those of their modules.
  const entry = Object.entries(names).find(
    ([, theirs]) => theirs === general || theirs.replace(/^\w+\./, '') === general,
  );
  if (!entry) {
    throw new UnsupportedError(
      `Tensor ${quoted(tensor.name)} has no place in a file of llama.cpp's architecture ${architectureName}.`,
      otherWay,
    );
  }
  const [stored] = entry;
  const name = stored.replace('{n}', layer ?? '') + (end ?? '');
  const isNorm = stored.endsWith('norm') && end === '.weight';
  const change = isNorm && done['norm'] ? done['norm'] : done[stored];
  const renamed = { ...tensor, name };
  return change ? forFile(renamed, change, { queries: heads, keys: keyHeads }) : renamed;
}
