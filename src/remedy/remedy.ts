import { harmless } from '../harmless';

/** What a person may decide, by the names that both faces have words for. */
export type Option =
  | 'accumulate'
  | 'batch'
  | 'config'
  | 'data'
  | 'dropHead'
  | 'engine'
  | 'engineFolder'
  | 'evalBatches'
  | 'evalData'
  | 'evaluateEvery'
  | 'ffn'
  | 'heads'
  | 'hidden'
  | 'jobMemory'
  | 'jobTime'
  | 'kvHeads'
  | 'layerDrop'
  | 'layers'
  | 'learningRate'
  | 'leaveOutBroken'
  | 'lineSeparator'
  | 'method'
  | 'methods'
  | 'optimizerState'
  | 'parallel'
  | 'precision'
  | 'recompute'
  | 'saveEvery'
  | 'sequenceLength'
  | 'shareFfn'
  | 'smallBatch'
  | 'smallSteps'
  | 'steps'
  | 'subNetworkLayers'
  | 'subNetworkSteps'
  | 'tokenDrop'
  /** Of a training, where `learningRate` is that of learning operators. */
  | 'trainingRate'
  | 'warmup';

/** An option, with what it is to be where that is said. */
export interface Setting {
  readonly option: Option;
  readonly to?: string | number;
}

/** How data is cut into batches. */
export type Cut = 'batch' | 'sequenceLength';

/** What a person can do, and what has to be known to say it. */
interface Actions {
  /** Sets options, all of them. */
  set: { readonly settings: readonly Setting[] };
  leaveOut: { readonly option: Option };
  /** In brackets, behind the words for something: what decides it. */
  by: { readonly settings: readonly Setting[] };
  lower: { readonly cuts: readonly Cut[] };
  /** Not what to do but with what: a larger batch, shorter sequences. */
  other: { readonly cut: Cut; readonly than: 'larger' | 'smaller' };
  /** Uses sequences of so many tokens at most. */
  shorten: { readonly to: number };
  install: { readonly engine: string };
  /** Goes on with a stopped run, on another engine if one is named. */
  resume: { readonly engine?: string };
  /** Does once more what left nothing behind. */
  repeat: object;
  /** Begins a run from its first step, whatever was kept of it. */
  startAnew: object;
  /** The same for a comparison, in place of what was kept. */
  compareAnew: object;
  /** Another place for what is written than where something is. */
  chooseOutput: object;
  /** The same for a single file. */
  chooseFile: object;
  /** Sees to a job of a cluster that is under way: waits for it, or ends it. */
  attendJob: object;
}

type Deed = keyof Actions;

/** Something to do, as data: each face has its own words for it. */
export type Action<D extends Deed = Deed> = {
  [P in D]: { readonly do: P } & Actions[P];
}[D];

/**
 * What a person can do about something, one sentence or a few: text, in which actions stand for words
 * that differ from face to face.
 */
export type Remedy = string | readonly (string | Action)[];

/** The words of a face for every action, as they stand within a sentence. */
export type Words = { readonly [D in Deed]: (action: Action<D>) => string };

/** A remedy out of text and actions: advise`${set('engine', 'cpu')}, or choose a smaller target.` */
export function advise(
  texts: TemplateStringsArray,
  ...between: readonly (Remedy | Action | number)[]
): Remedy {
  const parts = texts.flatMap((text, at) => [text, ...partsOf(between[at] ?? '')]);
  return parts.every(part => typeof part === 'string') ? parts.join('') : parts;
}

const partsOf = (part: Remedy | Action | number): readonly (string | Action)[] => {
  if (typeof part === 'number') return [String(part)];
  return typeof part === 'string' || 'do' in part ? [part] : part;
};

/** Remedies one after another, each said once. */
export function together(remedies: readonly Remedy[]): Remedy {
  const different = new Map(remedies.map(remedy => [JSON.stringify(remedy), remedy]));
  return [...different.values()].reduce((all, remedy) => advise`${all} ${remedy}`);
}

/** A remedy whose text, which may quote files, steers neither terminal nor page. */
export const harmlessRemedy = (remedy: Remedy): Remedy =>
  typeof remedy === 'string'
    ? harmless(remedy)
    : remedy.map(part => (typeof part === 'string' ? harmless(part) : part));

/** A remedy in the words of a face. Actions that begin a sentence begin with a capital. */
export function inWords(remedy: Remedy, words: Words): string {
  if (typeof remedy === 'string') return remedy;
  return remedy.reduce<string>((said, part) => {
    if (typeof part === 'string') return said + part;
    const phrase = phraseOf(words, part);
    const begins = said === '' || /[.!?]\s$/.test(said);
    return said + (begins ? phrase.charAt(0).toUpperCase() + phrase.slice(1) : phrase);
  }, '');
}

const phraseOf = <D extends Deed>(words: Words, action: Action<D>): string =>
  words[action.do](action);
