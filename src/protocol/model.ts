/** Sizes of a model that a person may name for a target, by the names of options and requests. */
export const askedSizes = ['layers', 'hidden', 'heads', 'kvHeads', 'ffn'] as const;
export type AskedSize = (typeof askedSizes)[number];

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

/** Sizes of a model by the names of options, plans and receipts. */
export interface ModelSizes {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  /** Heads that have keys and values, in families whose heads may share them. */
  readonly kvHeads?: number;
  /** Units of a head, in families that name it; heads divide the hidden units where absent. */
  readonly headSize?: number;
  readonly ffn: number;
}

/** A model as the plan and the receipt give it. */
export interface ModelSummary extends ModelSizes {
  readonly family: string;
  readonly modelClass: string;
  /** What it is trained to do, in words; older receipts and logs do not say. */
  readonly learns?: string;
  readonly parameters: number;
}

/** Hidden units for each head. */
export const unitsPerHead = ({ hidden, heads }: Pick<ModelSizes, 'hidden' | 'heads'>): number =>
  hidden / heads;

/** Heads that come and go together: those that share keys and values, unless all do. */
export const headsTogether = ({ heads, kvHeads }: Pick<ModelSizes, 'heads' | 'kvHeads'>): number =>
  kvHeads === undefined || kvHeads === 1 ? 1 : heads / kvHeads;
