import type { Inferred } from './inferred';
import type { modelSizes, modelSummary } from './modelSchemas';

export type ModelSizes = Inferred<typeof modelSizes>;
export type ModelSummary = Inferred<typeof modelSummary>;

/** Sizes of a model that a person may name for a target, by the names of options and requests. */
export const askedSizes = ['layers', 'hidden', 'heads', 'kvHeads', 'ffn'] as const;
export type AskedSize = (typeof askedSizes)[number];

/** How a learning rate goes down after its warm-up. */
export const schedules = ['constant', 'linear', 'cosine'] as const;
export type Schedule = (typeof schedules)[number];

/** What a person names of a target; the rest keeps its ratio to the source. */
export type TargetSizes = { readonly [size in AskedSize]?: number };

/** The size's option on the command line, without its dashes. */
export const sizeOption = (size: AskedSize): string => (size === 'kvHeads' ? 'kv-heads' : size);

/** Those of some sizes that have a value. */
export const givenSizes = (sizes: {
  readonly [size in AskedSize]?: number | undefined;
}): TargetSizes =>
  Object.fromEntries(
    askedSizes.flatMap(size => (sizes[size] === undefined ? [] : [[size, sizes[size]]])),
  );

/** Hidden units for each head. */
export const unitsPerHead = ({ hidden, heads }: Pick<ModelSizes, 'hidden' | 'heads'>): number =>
  hidden / heads;

/** Heads that come and go together: those that share keys and values, unless all do. */
export const headsTogether = ({ heads, kvHeads }: Pick<ModelSizes, 'heads' | 'kvHeads'>): number =>
  kvHeads === undefined || kvHeads === 1 ? 1 : heads / kvHeads;
