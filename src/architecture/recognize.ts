import { CorruptFileError } from '../errors';
import type { Architecture, ModelConfig } from './architecture';
import { classNames } from './configFields';
import { bert } from './families/bert';
import { deit } from './families/deit';
import type { Family, StoredNames } from './families/family';
import { gpt2 } from './families/gpt2';
import { roberta } from './families/roberta';
import { vit } from './families/vit';
import { unrecognized, withoutConfig } from './unrecognized';

/** The supported families; a more specific signature stands before a more general one. */
const families: readonly Family[] = [deit, vit, gpt2, roberta, bert];

/** What is known of a tensor without reading it. */
export interface TensorInfo {
  readonly shape: readonly number[];
}

/** A checkpoint understood as a model. */
export interface Recognition {
  readonly architecture: Architecture;
  /** On-disk tensor name for each declared stored tensor name. */
  readonly names: ReadonlyMap<string, string>;
  /** Tensors in the file that are not part of the model, with why. */
  readonly ignored: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * The model that a config.json and the tensors beside it make. Throws UnsupportedError for what is
 * not supported, and CorruptFileError when config and tensors contradict each other.
 */
export function recognizeArchitecture(
  config: ModelConfig | undefined,
  tensors: ReadonlyMap<string, TensorInfo>,
): Recognition {
  const found = [...tensors.keys()];
  if (!config) throw withoutConfig(tensors, familyByTensors(found));
  const family = familyOf(config, found);
  const prefix = found.some(name => name.startsWith(family.prefix)) ? family.prefix : '';
  const onDisk = writtenNames(found);
  const stored: StoredNames = {
    prefix,
    has: name => onDisk.has(name),
    hasUnder: start => [...onDisk.keys()].some(name => name.startsWith(start)),
  };
  const architecture = family.build(config, stored);
  checkDepth(family, prefix, architecture, onDisk);
  const names = bindNames(family, architecture, onDisk, tensors);
  return { architecture, names, ignored: leftOver(family, architecture, names, onDisk, found) };
}

function familyOf(config: ModelConfig, found: readonly string[]): Family {
  const modelType = config['model_type'];
  const family =
    modelType === undefined || modelType === null
      ? (families.find(({ className }) => classNames(config).some(name => className.test(name))) ??
        familyByTensors(found))
      : families.find(candidate => candidate.modelType === modelType);
  if (!family) {
    const supported = families.map(candidate => candidate.modelType).sort();
    throw unrecognized(modelType ?? classNames(config)[0], supported);
  }
  return family;
}

const familyByTensors = (found: readonly string[]): Family | undefined =>
  families.find(({ signature }) => found.some(name => signature.test(name)));

/** Names as they are written → names as they are on disk: old files call a norm's parts gamma and beta. */
function writtenNames(found: readonly string[]): Map<string, string> {
  const onDisk = new Map(found.map(name => [name, name]));
  for (const name of found) {
    const written = name.replace(/\.gamma$/, '.weight').replace(/\.beta$/, '.bias');
    if (written === name) continue;
    onDisk.delete(name);
    if (!onDisk.has(written)) onDisk.set(written, name);
  }
  return onDisk;
}

/** Layers that config.json does not count would be lost without a word. */
function checkDepth(
  { layerNumber }: Family,
  prefix: string,
  { dimensions }: Architecture,
  onDisk: ReadonlyMap<string, string>,
): void {
  for (const [written, name] of onDisk) {
    if (!written.startsWith(prefix)) continue;
    const layer = layerNumber.exec(written.slice(prefix.length))?.[1];
    if (layer === undefined || Number(layer) < dimensions.numHiddenLayers) continue;
    throw new CorruptFileError(
      `config.json counts ${dimensions.numHiddenLayers} layers, but the file holds ${name}.`,
      'Take config.json and the weights from the same place and version.',
    );
  }
}

function bindNames(
  { synonyms }: Family,
  { parameters }: Architecture,
  onDisk: ReadonlyMap<string, string>,
  tensors: ReadonlyMap<string, TensorInfo>,
): Map<string, string> {
  const names = new Map<string, string>();
  const missing = new Set<string>();
  for (const { stored } of parameters) {
    const alternatives = synonyms.find(group => group.includes(stored.tensor)) ?? [];
    const written = [stored.tensor, ...alternatives].find(name => onDisk.has(name));
    const name = written === undefined ? undefined : onDisk.get(written);
    if (name === undefined) {
      missing.add(stored.tensor);
      continue;
    }
    const shape = tensors.get(name)?.shape ?? [];
    if (shape.join() !== stored.shape.join()) {
      throw new CorruptFileError(
        `${name} is [${shape.join(', ')}] in the file, but config.json makes it [${stored.shape.join(', ')}].`,
        'Take config.json and the weights from the same place and version.',
      );
    }
    names.set(stored.tensor, name);
  }
  if (missing.size > 0) throw incomplete([...missing]);
  return names;
}

function incomplete(missing: readonly string[]): CorruptFileError {
  const shown = missing.slice(0, 3).join(', ');
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
  const are = missing.length === 1 ? 'One tensor is' : `${missing.length} tensors are`;
  return new CorruptFileError(
    `${are} missing from the checkpoint: ${shown}${more}.`,
    'Download the checkpoint again, all of its shards included, and check that config.json belongs to it.',
  );
}

const buffers = /(^|\.)(position_ids|token_type_ids|attn\.bias|attn\.masked_bias)$/;

function leftOver(
  family: Family,
  architecture: Architecture,
  names: ReadonlyMap<string, string>,
  onDisk: ReadonlyMap<string, string>,
  found: readonly string[],
): Recognition['ignored'] {
  const read = new Set(names.values());
  const writtenOf = new Map([...onDisk].map(([written, name]) => [name, written]));
  const twinOf = (name: string): string | undefined =>
    family.synonyms
      .find(group => group.includes(name))
      ?.flatMap(twin => names.get(twin) ?? [])
      .find(twin => twin !== name);
  const reasonFor = (name: string): string => {
    const written = writtenOf.get(name);
    if (written === undefined) return 'the file holds this parameter under its new name as well';
    if (buffers.test(written)) return 'a buffer that transformers computes by itself';
    const twin = twinOf(written);
    if (twin !== undefined) return `a second copy of ${twin}`;
    return family.explain(written, architecture) ?? `not part of ${architecture.modelClass}`;
  };
  return found.filter(name => !read.has(name)).map(name => ({ name, reason: reasonFor(name) }));
}
