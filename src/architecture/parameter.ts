/**
 * Roles of axes. Every axis of every parameter lies in a space; a space that belongs to a layer also
 * carries the layer's number. LiGO has one width operator a space (paper §3.3).
 */
export type SpaceRole =
  | 'residual'
  | 'query'
  | 'key'
  | 'value'
  | 'attentionHead'
  | 'ffn'
  | 'classFfn'
  | 'embedding'
  | 'headDim'
  | 'head'
  | 'vocabulary'
  | 'position'
  | 'tokenType'
  | 'class'
  | 'pixel';

/**
 * Roles whose size is fixed by the data, by how heads are rotated, or because a projection stands between
 * the tables and the residual stream: they never grow.
 */
export const fixedRoles: ReadonlySet<SpaceRole> = new Set<SpaceRole>([
  'vocabulary',
  'position',
  'tokenType',
  'class',
  'pixel',
  'headDim',
  'embedding',
]);

/**
 * How often an axis holds each unit of its space: in runs of `run` units that each stand `times` times in
 * a row, [units / run, times, run]. Queries that are rotated are a space of heads, of which each stands
 * once for every unit of a head (run 1); where heads share a value, what mixes them reads each unit of
 * that value once for every head (runs as long as a head).
 */
export interface Spread {
  readonly times: number;
  readonly run: number;
}

/** One axis: which space it lies in. */
export interface Space {
  readonly role: SpaceRole;
  /** Only for query, key, value, attentionHead and ffn, which every layer has for itself. */
  readonly layer?: number;
  /** In place of `layer`, where it is one of the layers that only the class token passes through. */
  readonly classLayer?: number;
  /** Absent where the axis holds each unit once. */
  readonly spread?: Spread;
}

/** Stable text for a space: `residual`, `query.3`, `query.class.0`. */
export function spaceName({ role, layer, classLayer }: Space): string {
  if (classLayer !== undefined) return `${role}.class.${classLayer}`;
  return layer === undefined ? role : `${role}.${layer}`;
}

/**
 * Module kinds that a layer has once, by the paper's names; LiGO has one depth operator a kind. `gate`
 * is what a gated feed-forward multiplies fc1's outputs by; `qNorm` and `kNorm` normalise queries and keys,
 * each head by itself or all of them together; `mixScores` and `mixWeights` make new scores and attention
 * weights of those of all heads; `ln1` and `ln2` normalise what branches read or, in post-norm
 * models, the sums they go into; `ln1Out` and `ln2Out` what branches give, which `scale1` and `scale2`
 * multiply, unit by unit.
 */
export type ModuleKind =
  | 'q'
  | 'k'
  | 'v'
  | 'qNorm'
  | 'kNorm'
  | 'mixScores'
  | 'mixWeights'
  | 'o'
  | 'ln1'
  | 'ln1Out'
  | 'scale1'
  | 'gate'
  | 'fc1'
  | 'fc2'
  | 'ln2'
  | 'ln2Out'
  | 'scale2';

/**
 * What a parameter is in the forward pass: of a map from inputs to outputs, of a norm, factors of units,
 * rows that are looked up, or one vector that stands in a sequence.
 */
export type ParameterModule = 'linear' | 'norm' | 'scale' | 'table' | 'token';

/** Where it lies on the way from what the model reads to what it predicts. */
export type Stage = 'embedding' | 'layer' | 'final' | 'head';

/** How transformers draws it for a model that is trained from scratch (`_init_weights`). */
export type Draw =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }
  | { readonly kind: 'constant'; readonly value: number }
  | {
      readonly kind: 'normal';
      /** Standard deviation, in `initializer_range` of config.json. */
      readonly scale: number;
      /** Where draws are cut off, in deviations of what is drawn from; nowhere where absent. */
      readonly cutoff?: number;
      /** Row that stays zero: of the padding token (torch's `padding_idx`). */
      readonly zeroRow?: number;
    };

/** Where a parameter lies in the checkpoint, when several share one tensor or it is stored transposed. */
export interface StoredBlock {
  /** Name of the tensor on disk, as this checkpoint spells it when written. */
  readonly tensor: string;
  /** Shape of the whole tensor on disk. */
  readonly shape: readonly number[];
  /** True when the disk holds [in, out] (GPT-2's Conv1D). */
  readonly transposed: boolean;
  /** First index of this block along the parameter's output axis, in a fused tensor; else 0. */
  readonly offset: number;
  /** Where its rows come in runs of `length`, one every `every` rows of the tensor; else all in a row. */
  readonly runs?: { readonly length: number; readonly every: number };
  /** Which columns of a stored row are its own, where several parameters share rows; else all. */
  readonly columns?: { readonly offset: number; readonly total: number };
  /** What the disk leaves out of every value: 1 where a norm multiplies by 1 + what is stored. */
  readonly plus?: number;
  /** Names under which a file may hold it, the one to prefer first; `tensor` alone where absent. */
  readonly readAs?: readonly string[];
  /** Further names under which the same tensor is written, because transformers expects all of them. */
  readonly alsoWrittenAs?: readonly string[];
}

/**
 * One logical parameter of a model: unfused, in [out, in] orientation. Tables (embeddings) are
 * [rows, width] and lie in [vocabulary | position | tokenType, residual].
 */
export interface Parameter {
  /**
   * The same for every family where the role is the same: `layers.3.q.weight`,
   * `embeddings.word.weight`, `embeddings.norm.bias`, `head.transform.weight`, `head.decoder.bias`,
   * `final.norm.weight`, `embeddings.patch.weight`, `embeddings.cls.weight`, `head.classifier.weight`.
   */
  readonly id: string;
  readonly part: 'weight' | 'bias';
  readonly module: ParameterModule;
  readonly stage: Stage;
  readonly draw: Draw;
  /** Set for parameters of a layer, together with `layer`. */
  readonly kind?: ModuleKind;
  readonly layer?: number;
  /** One space per logical axis: [out, in] or [width]. */
  readonly spaces: readonly Space[];
  readonly shape: readonly number[];
  readonly stored: StoredBlock;
  /** False for parameters the objective's forward pass never reads (a pooler): grown, never trained. */
  readonly used: boolean;
}
