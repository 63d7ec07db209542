/** Sizes of a model as the plan and the receipt give them. */
export interface ModelSummary {
  readonly family: string;
  readonly modelClass: string;
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly ffn: number;
  /** What it is trained to do, in words; older receipts and logs do not say. */
  readonly learns?: string;
  readonly parameters: number;
}
