import type { PooledMatrix } from './events';
import type { Inferred } from './inferred';
import type { PageOptions, TensorRow } from './messages';
import type { fromDifference } from './messageSchemas';
import type { Told } from './told';

/** What became of a tensor from one checkpoint to another. */
export type TensorChange =
  /** The first alone has it. */
  | 'removed'
  /** The second alone has it. */
  | 'added'
  | 'reshaped'
  /** Of another element type; its values are compared all the same. */
  | 'retyped'
  | 'moved'
  /** The same bytes. */
  | 'identical'
  /** Not the same bytes, of a type without values here, or values that cannot be read. */
  | 'unreadable';

/** All there are, in the order in which they are told. */
export const tensorChanges: readonly TensorChange[] = [
  'removed',
  'added',
  'reshaped',
  'retyped',
  'unreadable',
  'moved',
  'identical',
];

/** How far values moved from a to b, over the elements that are finite in both; sums are of float64. */
export interface Distance {
  /** ‖b − a‖ / ‖a‖; infinite where a is zero and b is not, NaN where nothing was compared. */
  readonly relative: number;
  /** a · b / (‖a‖ ‖b‖); NaN where either is zero. */
  readonly cosine: number;
  /** Largest |b − a|; NaN where nothing was compared. */
  readonly largest: number;
  /** Elements that were compared. */
  readonly compared: number;
  /** Elements that are NaN or infinite in a, and in b. */
  readonly notFinite: { readonly before: number; readonly after: number };
}

/** A tensor of one or of both checkpoints. */
export interface TensorDifference {
  readonly change: TensorChange;
  readonly before?: TensorRow;
  readonly after?: TensorRow;
  /** Where values were compared. */
  readonly distance?: Distance;
  /** Why they were not, where they could have been. */
  readonly reason?: string;
}

/** What differs between two checkpoints. */
export interface CheckpointDifference {
  /** Absolute paths of the files or indices. */
  readonly before: string;
  readonly after: string;
  /** In the order of the first, then what the second alone has. */
  readonly tensors: readonly TensorDifference[];
  /** Over all that were compared, as if they were one vector; absent where none was. */
  readonly whole?: Distance;
  /** What a person should know of either. */
  readonly notes: readonly Told[];
}

/** The difference b − a of a tensor, pooled for a picture; none of fewer than two elements. */
export interface DifferencePicture {
  readonly picture: PooledMatrix | undefined;
}

/** What a tensor is called: by its name in the first, or in the second where that alone has it. */
export const nameOf = ({ before, after }: TensorDifference): string =>
  before?.name ?? after?.name ?? '';

/** What the page calls the two: by their names, with their paths. */
export interface ComparedNames {
  readonly before: { readonly name: string; readonly path: string };
  readonly after: { readonly name: string; readonly path: string };
}

/** Host → page of what differs between two checkpoints. */
export type ToDifference =
  | { readonly type: 'options'; readonly options: PageOptions }
  /** They are being compared; so far that far, which is empty at first. */
  | { readonly type: 'comparing'; readonly names: ComparedNames; readonly progress: string }
  | { readonly type: 'cancelled'; readonly names: ComparedNames }
  | {
      readonly type: 'difference';
      readonly names: ComparedNames;
      readonly difference: CheckpointDifference;
    }
  /** Of the tensor that the first calls so. */
  | {
      readonly type: 'picture';
      readonly name: string;
      readonly picture: DifferencePicture['picture'];
    }
  /** The comparison failed, or a picture did where one was asked for. */
  | {
      readonly type: 'failed';
      readonly picture: boolean;
      readonly message: string;
      readonly remedy: string;
    };

export type FromDifference = Inferred<typeof fromDifference>;
