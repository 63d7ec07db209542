import type { GrowthPlan, ModelSummary } from './events';
import type { InspectedCheckpoint, TensorStatistics } from './messages';
import type { WorkerRequest } from './runFolder';

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
  readonly model?: ModelSummary & { readonly objective: string; readonly head: string };
  readonly problem?: { readonly message: string; readonly remedy: string };
  /** `part` is something that belongs to a model or a run: operators, the state of a stopped run. */
  readonly kind: 'model' | 'tensors' | 'part';
  /** What it was grown from, by its receipt. */
  readonly parent?: { readonly path: string; readonly sha256: string } & ModelSummary;
}

/** Seconds a step would take here, by a short measurement. */
export interface TimeEstimate {
  readonly secondsPerStep: number;
  readonly from: 'step' | 'products';
  readonly device: string;
}

/** A full-resolution operator of a finished run. */
export interface ExactOperator {
  readonly shape: readonly [number, number];
  readonly values: Float32Array;
}

/** What a plan is asked for. */
export interface PlanQuestion {
  readonly checkpoint: string;
  readonly target: WorkerRequest['target'];
  readonly steps: number;
  readonly batchSize?: number;
  readonly sequenceLength?: number;
}

/** What the helper process answers: everything about files and numbers that is no run. */
export interface Service {
  summarize(path: string): Promise<CheckpointSummary>;
  inspect(path: string): Promise<InspectedCheckpoint>;
  plan(question: PlanQuestion): Promise<GrowthPlan>;
  estimate(question: PlanQuestion & { readonly threads?: number }): Promise<TimeEstimate>;
  statistics(question: {
    readonly path: string;
    readonly tensor: string;
  }): Promise<TensorStatistics>;
  /** Path of an operators.safetensors, and a name in it. */
  operator(question: { readonly path: string; readonly name: string }): Promise<ExactOperator>;
  /** As in receipts: SHA-256 of the checkpoint's files. */
  hash(path: string): Promise<string>;
}

/** A call of the service as it crosses the processes. */
export interface ServiceCall {
  readonly id: number;
  readonly method: keyof Service;
  readonly argument: unknown;
}

/** Its answer. */
export type ServiceAnswer =
  | { readonly id: number; readonly result: unknown }
  | {
      readonly id: number;
      readonly failure: { readonly message: string; readonly remedy: string };
    };
