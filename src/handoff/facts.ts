import type { Launcher, MachineFacts, SlurmFacts } from '../protocol/handoff';
import type { Schedule } from '../protocol/model';

/** What a project is written from: everything that is known of a checkpoint and of how it is to be trained on. */
export interface HandoffFacts {
  readonly to: Launcher;
  /** Name and version of what writes the project. */
  readonly software: { readonly name: string; readonly version: string };
  readonly model: ModelFacts;
  /** In words. */
  readonly objective: string;
  readonly data: TextFacts | ImageFacts;
  readonly training: TrainingFacts;
  readonly machines: MachineFacts;
  readonly slurm: SlurmFacts;
  /** What does not carry over, a sentence each. */
  readonly notes: readonly string[];
}

export interface ModelFacts {
  /** Absolute path of its folder. */
  readonly path: string;
  readonly name: string;
  /** Of transformers: `BertForMaskedLM`. */
  readonly modelClass: string;
  readonly parameters: number;
  /** Files beside the weights that go along: tokenizer, preprocessor and their like. */
  readonly companions: readonly string[];
  /** The optimizer's state beside the weights that is gone on with: updates it has seen, and its files. */
  readonly optimizer?: { readonly updates: number; readonly files: readonly string[] };
  /** The held-out loss that a receipt gives for the same held-out batches. */
  readonly expected?: { readonly loss: number; readonly from: string };
}

interface CommonData {
  /** Absolute. */
  readonly path: string;
  /** What is held out, in words. */
  readonly heldOut: string;
  /** Sequences or images in a held-out batch. */
  readonly heldOutBatch: number;
}

/** Text to go on with. */
export interface TextFacts extends CommonData {
  readonly kind: 'text';
  readonly files: readonly TextFileFacts[];
  /** Tokens, those that frame a masked sequence included. */
  readonly sequenceLength: number;
  readonly separator: 'newline' | 'none' | readonly number[];
  /** Set for masked language models; others learn to predict the next token. */
  readonly masked?: MaskingFacts;
  /** Held-out sequences as they are scored. */
  readonly scored: readonly ScoredSequence[];
}

/** A file that is trained on. */
export interface TextFileFacts {
  /** Relative to the data's path, with `/`. */
  readonly name: string;
  readonly bytes: number;
  /** Of them, those from the beginning on that are not held out. */
  readonly trainBytes: number;
  /** Whether each line is a JSON object with a text. */
  readonly records: boolean;
}

export interface MaskingFacts {
  /** Tokens in front of and behind every sequence. */
  readonly frame?: readonly [number, number];
  readonly mask: number;
  /** Never masked, never put in as random ones. */
  readonly special: readonly number[];
  readonly vocabulary: number;
  readonly share: number;
  readonly replacedByMask: number;
  readonly replacedAtRandom: number;
}

export interface ScoredSequence {
  readonly inputIds: readonly number[];
  /** −100 where nothing is asked for; absent where each token is asked for by those before it. */
  readonly labels?: readonly number[];
}

/** Images to go on with. */
export interface ImageFacts extends CommonData {
  readonly kind: 'images';
  readonly train: ImagePart;
  readonly scored: ImagePart;
  readonly channels: number;
  readonly resize?:
    { readonly height: number; readonly width: number } | { readonly shortestEdge: number };
  readonly crop?: { readonly height: number; readonly width: number };
  /** Number of the Python Imaging Library. */
  readonly resample: number;
  readonly rescaleFactor: number;
  readonly mean: readonly number[];
  readonly standardDeviation: readonly number[];
}

export interface ImagePart {
  /** MNIST's file of the images, relative to the data's path; absent where images are files. */
  readonly idx?: string;
  /** File, or number within the file of all, and class of each image. */
  readonly images: readonly (readonly [string | number, number])[];
}

export interface TrainingFacts {
  readonly steps: number;
  readonly learningRate: number;
  /** A tenth of the steps where absent. */
  readonly warmup?: number;
  readonly schedule: Schedule;
  readonly weightDecay: number;
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  readonly clipNorm: number;
  /** Sequences or images of an update, of all GPUs together. */
  readonly batch: number;
  /** Parts that each GPU computes its share of them in. */
  readonly accumulate: number;
  readonly recompute: boolean;
  readonly evaluateEvery: number;
  readonly seed: number;
}

/** A file of a project. */
export interface ProjectFile {
  readonly name: string;
  readonly text: string;
}
