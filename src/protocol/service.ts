import type {
  EngineChoice,
  EngineName,
  EngineSurvey,
  OptionalEngine,
  SelfTestResult,
} from './engines';
import type { ConversionReceipt, ConversionRequest } from './conversion';
import type { Handoff, HandoffOutlook, HandoffQuestion } from './handoff';
import type { Told } from './told';
import type { GrowthPlan } from './events';
import type { ModelSummary } from './model';
import type { InspectedCheckpoint, TensorStatistics } from './messages';
import type { CheckpointDifference, DifferencePicture } from './differences';
import type { ExportedTensor } from './exports';
import type { ComparisonRequest, GrowthOptions, GrowthRequest, TrainingOptions } from './runFolder';

/** A model of a known family. */
export interface RecognizedModel extends ModelSummary {
  readonly objective: string;
  readonly head: string;
  readonly usualBatch: UsualBatch;
  /** Whether its config.json may give heads a size by which they do not divide the hidden units. */
  readonly namesHeadSize?: boolean;
}

/** How data is cut into batches unless a person says otherwise. */
export interface UsualBatch {
  /** Sequences or images. */
  readonly size: number;
  /** Tokens of each, and the most that the model has positions for; absent of images. */
  readonly sequence?: { readonly length: number; readonly longest: number };
}

/** What a list shows of a checkpoint; from its headers and, for a grown one, its receipt. */
export interface CheckpointSummary {
  /** Absolute path of the file or index. */
  readonly path: string;
  /** Absolute paths of the files that hold tensors. */
  readonly files: readonly string[];
  /** Of all tensors. */
  readonly bytes: number;
  /** Element types, most frequent first: "F32", "F32, I64". */
  readonly elementTypes: string;
  /** Absent when this is no model of a known family: `problem` says why. */
  readonly model?: RecognizedModel;
  readonly problem?: { readonly message: string; readonly remedy: string };
  /**
   * `part` is something that belongs to a model or a run: operators, the state of a stopped run.
   * `tensors` has no config.json, `unsupported` is a model of another family or of a format that is not
   * read, `broken` lacks something, `other` is a file that is called as weights may be and is none.
   */
  readonly kind: 'model' | 'unsupported' | 'broken' | 'tensors' | 'part' | 'other';
  /** What it was grown from, by its receipt. */
  readonly parent?: { readonly path: string; readonly sha256: string } & ModelSummary;
}

/** Seconds a step would take here, by a short measurement. */
export interface TimeEstimate {
  readonly secondsPerStep: number;
  readonly from: 'step' | 'products';
  /** Seconds in which both models are scored on a held-out batch, where operators are learned. */
  readonly secondsPerScoring?: number;
  readonly device: string;
}

/** The engine that a run would compute on. */
export interface EngineOutlook {
  readonly name: string;
  /** Why this engine, on one line. */
  readonly reason: string;
  /** Seconds a step would take; absent when nothing is learned or memory does not suffice. */
  readonly estimate?: TimeEstimate;
  /** Why a step does not fit its memory. */
  readonly refusal?: { readonly reason: string; readonly remedy: string };
}

/** What a call that takes time is given besides its argument. */
export interface CallContext {
  readonly signal: AbortSignal;
  /** Tells the one who waits what is going on. */
  readonly progress: (line: string) => void;
}

/** A full-resolution operator of a finished run. */
export interface ExactOperator {
  readonly shape: readonly [number, number];
  readonly values: Float32Array;
}

/** What a plan is asked for. */
export interface PlanQuestion extends GrowthOptions {
  readonly checkpoint: string;
  readonly target: GrowthRequest['target'];
  /** Whose learning is planned; LiGO's where absent. */
  readonly method?: string;
  readonly steps: number;
  readonly batchSize?: number;
  readonly sequenceLength?: number;
}

/** What the plan of a training is asked for. */
export interface TrainingQuestion extends TrainingOptions {
  readonly checkpoint: string;
  readonly steps: number;
  readonly batchSize?: number;
  readonly sequenceLength?: number;
}

/** A peak learning rate that suits a checkpoint. */
export interface TrainingRate {
  readonly rate: number;
  /**
   * Where it comes from: what it was trained at, at a rate that stayed (`constant`) or a tenth of one that went
   * down (`trained`); what models of its size are trained at, where it was just grown, or a tenth of that (`size`).
   */
  readonly reason: 'constant' | 'trained' | 'grown' | 'size';
  /** For random weights of its size. */
  readonly fromScratch: number;
}

/** A way to grow, and what it says of itself. */
export interface MethodOffer {
  readonly name: string;
  readonly title: string;
  /** What it does, one sentence. */
  readonly does: string;
  /** What it promises about the grown model before training, one sentence. */
  readonly preserves: string;
  readonly needsData: boolean;
  /** What all others are measured against: part of every comparison. */
  readonly isYardstick: boolean;
  /** Compared unless others are chosen. */
  readonly isUsual: boolean;
  /** Why it cannot make this growth; empty when it can. */
  readonly refusals: GrowthPlan['refusals'];
}

/** What a comparison would be. */
export interface ComparisonPlan {
  /** Of one growth; its cost is that of learning operators, absent when no method does. */
  readonly growth: GrowthPlan;
  /** Methods times seeds. */
  readonly runs: number;
  /** Floating-point operations of all growths and trainings; absent when the growth is refused. */
  readonly flops?: number;
  /** Of one training step, which `outlook` times. */
  readonly flopsPerStep?: number;
  /** Of the trained models that are kept: at most on the way, and in the end. */
  readonly modelBytes: { readonly most: number; readonly end: number };
}

/** What data turns out to be before a run reads it. */
export interface DataOutlook {
  readonly notes: readonly Told[];
  /** Why the checkpoint cannot learn from it. */
  readonly refusal?: Told;
  /** Tokens: where the model predicts worse from there on, as past the length it was trained on. */
  readonly suitableLength?: number;
}

/** What came of looking at a file that was found, and that nobody named. */
export type FoundSummary =
  | { readonly summary: CheckpointSummary }
  | { readonly failure: { readonly message: string; readonly remedy: string } };
/** What has to be fetched of a model on the Hugging Face Hub. */
export interface HubOutlook {
  /** That are not in the cache; 0 where it lies there whole. */
  readonly files: number;
  readonly bytes: number;
  /** The folder they go into. */
  readonly cache: string;
  readonly notes: readonly Told[];
}

/** What the helper process answers: everything about files and numbers that is no run. */
export interface Service {
  summarize(path: string): Promise<CheckpointSummary>;
  /** Of files that were found, in their order; many are asked for at once, as each question takes time. */
  summarizeFound(paths: readonly string[]): Promise<readonly FoundSummary[]>;
  inspect(path: string): Promise<Omit<InspectedCheckpoint, 'name'>>;
  plan(question: PlanQuestion): Promise<GrowthPlan>;
  /** Every way to grow to a target, in the order they are offered. */
  methods(question: Pick<PlanQuestion, 'checkpoint' | 'target'>): Promise<readonly MethodOffer[]>;
  /** What comparing methods takes; `steps` are those of each training. */
  comparisonPlan(
    question: PlanQuestion & Pick<ComparisonRequest, 'methods' | 'seeds' | 'keep'>,
  ): Promise<ComparisonPlan>;
  /**
   * Chooses the engine of a growth, and times a step on it when operators are learned; of a comparison
   * of `methods`, a step of training.
   */
  outlook(
    question: PlanQuestion & {
      readonly engine: EngineChoice;
      readonly threads?: number;
      readonly learns: boolean;
      readonly methods?: readonly string[];
    },
  ): Promise<EngineOutlook>;
  /** At which rate a checkpoint may be trained on where nobody says another. */
  trainingRate(checkpoint: string): Promise<TrainingRate>;
  /** What training a checkpoint takes: the plan of a growth to the size that it has. */
  trainingPlan(question: TrainingQuestion): Promise<GrowthPlan>;
  /** Chooses the engine of a training, and times a step on it. */
  trainingOutlook(
    question: TrainingQuestion & { readonly engine: EngineChoice; readonly threads?: number },
  ): Promise<EngineOutlook>;
  /** Opens data as a run would, and finds the length of sequences that suits. */
  lookAtData(
    question: {
      readonly checkpoint: string;
      readonly data: string;
      readonly sequenceLength?: number;
      readonly threads?: number;
    },
    context: CallContext,
  ): Promise<DataOutlook>;
  /** Parameters of the checkpoint grown to each of some sizes; undefined where it cannot be. */
  parameters(question: {
    readonly checkpoint: string;
    readonly targets: readonly PlanQuestion['target'][];
  }): Promise<readonly (number | undefined)[]>;
  statistics(question: {
    readonly path: string;
    readonly tensor: string;
  }): Promise<TensorStatistics>;
  /** What differs between the weights of two checkpoints; tells how far it is meanwhile. */
  difference(
    paths: { readonly before: string; readonly after: string },
    context: CallContext,
  ): Promise<CheckpointDifference>;
  /** The difference of one tensor as a picture; the two may call it by different names. */
  differencePicture(
    question: {
      readonly paths: { readonly before: string; readonly after: string };
      readonly names: { readonly before: string; readonly after: string };
    },
    context: CallContext,
  ): Promise<DifferencePicture>;
  /** Writes one tensor to a file that ends in .npy or .csv, over one that is there. */
  exportTensor(
    question: { readonly path: string; readonly tensor: string; readonly to: string },
    context: CallContext,
  ): Promise<ExportedTensor>;
  /** Path of an operators.safetensors, and a name in it. */
  operator(question: { readonly path: string; readonly name: string }): Promise<ExactOperator>;
  /** Writes a checkpoint in another format; tells how many bytes were written of how many meanwhile. */
  convert(question: ConversionRequest, context: CallContext): Promise<ConversionReceipt>;
  /** What receipts say of how to train a checkpoint on; refused where no project can be written for it. */
  handoffOutlook(question: { readonly checkpoint: string }): Promise<HandoffOutlook>;
  /** Writes a project that trains a checkpoint on in PyTorch. */
  handOff(question: HandoffQuestion, context: CallContext): Promise<Handoff>;
  /** As in receipts: SHA-256 of the checkpoint's files. */
  hash(path: string): Promise<string>;
  /** Asks the Hugging Face Hub about a model, `hf://owner/name[@revision]`; this and the next use the network. */
  lookAtHub(question: { readonly reference: string }, context: CallContext): Promise<HubOutlook>;
  /** Fetches it into the cache and tells how much has arrived; gives the path of its weights. */
  fetchFromHub(question: { readonly reference: string }, context: CallContext): Promise<string>;
  /** Examines this machine's engines. */
  survey(question: Record<string, never>): Promise<EngineSurvey>;
  /**
   * Installs an optional engine; tells npm's lines meanwhile. With `tensorFlow`, the path of a wheel or
   * of a folder with the C library, TensorFlow.js is built with that and tested before it is installed.
   */
  install(
    question: {
      readonly engine: OptionalEngine;
      readonly nodePath: string;
      readonly tensorFlow?: string;
    },
    context: CallContext,
  ): Promise<void>;
  /** Takes a tiny step on each of the engines. */
  selfTest(
    question: { readonly engines: readonly EngineName[] },
    context: CallContext,
  ): Promise<readonly SelfTestResult[]>;
}

/** A call of the service as it crosses the processes. */
export interface ServiceCall {
  readonly id: number;
  readonly method: keyof Service;
  readonly argument: unknown;
}

/** What the host sends: a call, or that nobody waits for it any more. */
export type ServiceMessage = ServiceCall | { readonly id: number; readonly cancel: true };

/** Its answer, after any lines of progress. */
export type ServiceAnswer =
  | { readonly id: number; readonly progress: string }
  | { readonly id: number; readonly result: unknown }
  | {
      readonly id: number;
      readonly failure: { readonly message: string; readonly remedy: string };
    };
