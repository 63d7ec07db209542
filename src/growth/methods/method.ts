import type { Parameter } from '../../architecture';
import type { SmallValues } from '../growParameter';
import type { FreshnessSetting } from '../freshPart';
import type { Initialization } from '../initialize';
import type { OperatorMapping } from '../mapping';
import type { Growth } from '../operators';
import type { Refusal } from '../target';
import type { Copies } from './copies';

/** Settings that a method brings along where a person names none. */
export interface LearningPreset {
  readonly mapping?: OperatorMapping;
  readonly initialization?: Initialization;
  /** How much of a model from scratch is added to new weights afterwards. */
  readonly freshness?: FreshnessSetting;
  /** Peak learning rates. */
  readonly widthLearningRate?: number;
  readonly depthLearningRate?: number;
  readonly weightDecay?: number;
  readonly schedule?: 'constant' | 'linear' | 'cosine';
  /** Steps of warm-up; may be more than there are steps. */
  readonly warmup?: number;
  readonly betas?: readonly [number, number];
  readonly epsilon?: number;
  readonly clipNorm?: number;
}

/** How a method makes the large model's weights. */
export type Making =
  /** Operators are trained on data. */
  | { readonly kind: 'learned'; readonly preset: LearningPreset }
  /** Units and layers are copied; operators (w, A, B) follow, and the weights are what those make. */
  | { readonly kind: 'copies'; copies(growth: Growth, seed: number): Copies }
  /** Weights that no operator of ours makes, one parameter at a time. */
  | {
      readonly kind: 'weights';
      weights(growth: Growth, small: SmallValues, seed: number): ParameterMaker;
      /** What of them is copied, where that is all that is done to the small model's weights. */
      copies?(growth: Growth, seed: number): Copies;
    };

/** Values of one parameter of the large model, row-major in its own shape. */
export type ParameterMaker = (parameter: Parameter) => Float32Array;

/** A part of the large model's training in which only some of its parameters change. */
export interface TrainingStage {
  /** Of all training steps, 0…1; the shares of a method's stages add up to 1. */
  readonly share: number;
  /** Ids of the parameters that are trained; the others are frozen. */
  readonly trains: readonly string[];
}

/** One way to make a large model of a small one: what it says of itself, and how it works. */
export interface GrowthMethod {
  /** As `--method` takes it. */
  readonly name: string;
  readonly title: string;
  /** What it does, one sentence. */
  readonly does: string;
  /** What it promises about the grown model before training, one sentence. */
  readonly preserves: string;
  /** Where it comes from. */
  readonly source: string;
  readonly needsData: boolean;
  readonly making: Making;
  /** Why this method cannot make this growth; absent or empty when it can. */
  refusals?(growth: Growth): readonly Refusal[];
  /** How the grown model is trained when not all of it at once. */
  stages?(growth: Growth): readonly TrainingStage[];
}
