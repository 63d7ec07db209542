import { CorruptFileError, type Note } from '../errors';
import { counted } from '../format';
import type { Architecture, ModelConfig } from './architecture';
import { classNames } from './configFields';
import { bert } from './families/bert';
import { decoderFamily } from './families/decoderFamily';
import { decoders } from './families/decoders';
import { distilbert } from './families/distilbert';
import { electra } from './families/electra';
import { dinov2 } from './families/dinov2';
import { cait } from './families/cait';
import { timmVit } from './families/timmVit';
import { deit } from './families/deit';
import type { Family, StoredNames, Twins } from './families/family';
import { gpt2 } from './families/gpt2';
import { camembert, roberta, xlmRoberta } from './families/roberta';
import { vit } from './families/vit';
import { unrecognized, withoutConfig } from './unrecognized';
import { refuseAdapter, underOtherNames, withoutWrappers } from './wrappedNames';

/** The supported families; a more specific signature stands before a more general one. */
const families: readonly Family[] = [
  deit,
  vit,
  dinov2,
  timmVit,
  cait,
  gpt2,
  roberta,
  camembert,
  xlmRoberta,
  distilbert,
  electra,
  bert,
  ...decoders.map(decoderFamily),
];

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
  /** Those of them whose values stand nowhere else, so that a model written without them has lost them. */
  readonly lost: readonly string[];
  /** Those of them that hold what a tensor of the model holds, with that tensor. */
  readonly copies: ReadonlyMap<string, string>;
  /** What a person should know before the model is used as it is understood here. */
  readonly notes: readonly Note[];
}

/** What is known of a checkpoint's tensors without reading more than their headers. */
export type TensorInfos = ReadonlyMap<string, TensorInfo>;

/** What else is known of a checkpoint. */
export interface FurtherFacts {
  /** Tensors that an index names although no shard holds them, with the shard it gives. */
  readonly absent?: ReadonlyMap<string, string>;
  /** The first of those `twinTensors` whose values are not the same. */
  readonly different?: ReadonlySet<string>;
}

/**
 * The model that a config.json and the tensors beside it make. Throws UnsupportedError for what is
 * not supported, and CorruptFileError when config and tensors contradict each other.
 */
export function recognizeArchitecture(
  config: ModelConfig | undefined,
  tensors: TensorInfos,
  { absent = new Map(), different = new Set() }: FurtherFacts = {},
): Recognition {
  const found = [...tensors.keys()];
  refuseAdapter(found);
  if (!config) throw withoutConfig(tensors, familyByTensors(found));
  const family = familyOf(config, found);
  const prefix = prefixIn(family, found);
  const onDisk = writtenNames(found, family);
  const stored: StoredNames = {
    prefix,
    has: name => onDisk.has(name),
    hasUnder: start => [...onDisk.keys()].some(name => name.startsWith(start)),
    differ: name => different.has(name),
  };
  const { architecture, notes } = family.build(config, stored);
  checkDepth(family, prefix, architecture, onDisk);
  const names = bindNames(family, architecture, onDisk, tensors, absent);
  const left = leftOver({ family, prefix, architecture, names, onDisk, different }, found);
  const ignored = left.map(({ name, reason }) => ({ name, reason }));
  const lost = left.filter(tensor => tensor.lost);
  return {
    architecture,
    names,
    ignored,
    notes: [...notes, ...notesOnLost(lost)],
    copies: new Map(
      left.flatMap(({ name, copyOf }) => (copyOf === undefined ? [] : [[name, copyOf]])),
    ),
    lost: lost.map(({ name }) => name),
  };
}

/**
 * Pairs of tensors that the file holds and that are one parameter if their values are the same, to be
 * compared before `recognizeArchitecture`, which is told the first of each pair that differs. None
 * where the model is of no supported family.
 */
export function twinTensors(
  config: ModelConfig | undefined,
  tensors: TensorInfos,
): readonly Twins[] {
  const found = [...tensors.keys()];
  const family = config && supportedFamily(config, found);
  return (family?.twins(prefixIn(family, found)) ?? []).filter(pair =>
    pair.every(name => tensors.has(name)),
  );
}

const prefixIn = ({ prefix }: Family, found: readonly string[]): string =>
  found.some(name => name.startsWith(prefix)) ? prefix : '';

function supportedFamily(config: ModelConfig, found: readonly string[]): Family | undefined {
  const modelType = config['model_type'];
  return modelType === undefined || modelType === null
    ? (families.find(({ claims }) => claims?.(config)) ??
        families.find(({ className }) => classNames(config).some(name => className.test(name))) ??
        familyByTensors(found))
    : families.find(candidate => candidate.modelType === modelType);
}

function familyOf(config: ModelConfig, found: readonly string[]): Family {
  const family = supportedFamily(config, found);
  if (family) return family;
  const supported = families.map(candidate => candidate.modelType).sort();
  throw unrecognized(config['model_type'] ?? classNames(config)[0], supported);
}

const familyByTensors = (found: readonly string[]): Family | undefined =>
  families.find(({ signature }) => found.some(name => signature.test(name)));

/** How a name is written now: old files call a norm's parts gamma and beta. */
const asWritten = (name: string): string =>
  name.replace(/\.gamma$/, '.weight').replace(/\.beta$/, '.bias');

/** A tensor's name in parts: what all files of a model call it, and what some put before that. */
export interface PlainName {
  readonly name: string;
  /** A family's, as models with a head have it; empty where the name has none. */
  readonly prefix: string;
}

/** A tensor's name as it is written now, without parts of wrappers and without the prefix of a family. */
export function plainName(name: string): PlainName {
  const written = asWritten(withoutWrappers(name));
  const { prefix = '' } =
    families.find(({ prefix: start }) => start !== '' && written.startsWith(start)) ?? {};
  return { name: written.slice(prefix.length), prefix };
}

/** Names as they are written → names as they are on disk. */
function writtenNames(
  found: readonly string[],
  { oldNormNames = true }: Family,
): Map<string, string> {
  const onDisk = new Map(found.map(name => [name, name]));
  if (!oldNormNames) return onDisk;
  for (const name of found) {
    const written = asWritten(name);
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
      `config.json counts ${counted(dimensions.numHiddenLayers, 'layer')}, but the file holds ${name}.`,
      'Take config.json and the weights from the same place and version.',
    );
  }
}

function bindNames(
  { prefix }: Family,
  { parameters }: Architecture,
  onDisk: ReadonlyMap<string, string>,
  tensors: ReadonlyMap<string, TensorInfo>,
  absent: ReadonlyMap<string, string>,
): Map<string, string> {
  const names = new Map<string, string>();
  const missing = new Set<string>();
  for (const { stored } of parameters) {
    const written = (stored.readAs ?? [stored.tensor]).find(name => onDisk.has(name));
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
  if (missing.size > 0) {
    const lost = [...missing];
    throw underOtherNames(lost, [...tensors.keys()], prefix) ?? incomplete(lost, absent);
  }
  return names;
}

function incomplete(
  missing: readonly string[],
  absent: ReadonlyMap<string, string>,
): CorruptFileError {
  const shown = missing.slice(0, 3).join(', ');
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
  const are = missing.length === 1 ? 'One tensor is' : `${missing.length} tensors are`;
  const shards = [...new Set(missing.flatMap(name => absent.get(name) ?? []))].slice(0, 3);
  const lacking = shards.length > 0 ? ` The index places them in ${shards.join(', ')}.` : '';
  return new CorruptFileError(
    `${are} missing from the checkpoint: ${shown}${more}.${lacking}`,
    'Download the checkpoint again, all of its shards included, and check that config.json belongs to it.',
  );
}

/** Tensors of the file that are not part of the model. */
interface LeftOver {
  readonly name: string;
  readonly reason: string;
  /** Whether what it holds stands nowhere else. */
  readonly lost: boolean;
  /** The tensor of the model that holds the same. */
  readonly copyOf?: string;
}

function notesOnLost(lost: readonly LeftOver[]): Note[] {
  if (lost.length === 0) return [];
  const shown = lost.slice(0, 3).map(({ name, reason }) => `${name} (${reason})`);
  const more = lost.length > 3 ? ` and ${lost.length - 3} more` : '';
  const are = lost.length === 1 ? 'One tensor is' : `${lost.length} tensors are`;
  return [
    {
      message: `${are} not used: ${shown.join(', ')}${more}.`,
      remedy: 'Check that nothing you need is among them (inspect lists all).',
    },
  ];
}

const buffers =
  /(^|\.)(position_ids|token_type_ids|(attn|attention)\.(bias|masked_bias)|rotary_emb\.inv_freq|rope_freqs\.weight|rope_factors_(long|short)\.weight)$/;

interface LeftOverContext {
  readonly family: Family;
  readonly prefix: string;
  readonly architecture: Architecture;
  readonly names: ReadonlyMap<string, string>;
  readonly onDisk: ReadonlyMap<string, string>;
  readonly different: ReadonlySet<string>;
}

function leftOver(
  { family, prefix, architecture, names, onDisk, different }: LeftOverContext,
  found: readonly string[],
): LeftOver[] {
  const read = new Set(names.values());
  const writtenOf = new Map([...onDisk].map(([written, name]) => [name, written]));
  const twins = family.twins(prefix);
  /** The tensor that is read in place of one that holds the same parameter. */
  const insteadOf = (name: string): { twin: string; same: boolean } | undefined => {
    const pair = twins.find(names => names.includes(name));
    const twin = pair?.find(other => other !== name && read.has(other));
    return pair && twin !== undefined ? { twin, same: !different.has(pair[0]) } : undefined;
  };
  const explained = (name: string): LeftOver => {
    const kept = (reason: string): LeftOver => ({ name, reason, lost: false });
    const written = writtenOf.get(name);
    if (written === undefined) {
      return kept('the file holds this parameter under its new name as well');
    }
    if (buffers.test(written)) return kept('a buffer that transformers computes by itself');
    const instead = insteadOf(written);
    if (instead) {
      const { twin, same } = instead;
      return same
        ? { ...kept(`a second copy of ${twin}`), copyOf: twin }
        : kept(`${twin} is used instead, with other values`);
    }
    const reason =
      family.explain?.(written, architecture) ?? `not part of ${architecture.modelClass}`;
    return { name, reason, lost: true };
  };
  return found.filter(name => !read.has(name)).map(explained);
}
