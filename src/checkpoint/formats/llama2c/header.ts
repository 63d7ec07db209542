/** What the header of a llama2.c file says of the model. */
export interface LlamaHeader {
  /** 0 for files that begin with the sizes themselves. */
  readonly version: 0 | 1;
  readonly hidden: number;
  readonly ffn: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly vocabulary: number;
  readonly positions: number;
  /** Whether scores use the table of words. */
  readonly isTied: boolean;
}

/** Most layers of a file; real ones have a few dozen. */
const MAX_LAYERS = 10_000;
/** Bytes before the weights, by version. */
export const headerBytes = { 0: 28, 1: 256 } as const;

/** The version that a file of the newer kind states; undefined for others. */
export function statedVersion(head: Uint8Array): number | undefined {
  const isNewer = head.length >= 8 && Buffer.from('24ka').equals(head.subarray(0, 4));
  return isNewer ? int32At(head, 4) : undefined;
}

/** The header of a file, where its sizes are those of a model that takes exactly so many bytes. */
export function readHeader(head: Uint8Array, fileBytes: number): LlamaHeader | undefined {
  const version = statedVersion(head) ?? 0;
  if ((version !== 0 && version !== 1) || head.length < 64) return undefined;
  const begin = version === 0 ? 0 : 8;
  const [hidden, ffn, layers, heads, keyValueHeads, vocabulary, positions] = Array.from(
    { length: 7 },
    (_, index) => int32At(head, begin + 4 * index),
  ) as [number, number, number, number, number, number, number];
  const isTied = version === 0 ? vocabulary > 0 : head[36] === 1;
  const header: LlamaHeader = {
    version,
    hidden,
    ffn,
    layers,
    heads,
    keyValueHeads,
    positions,
    isTied,
    vocabulary: Math.abs(vocabulary),
  };
  return isSound(header) && statedBytes(header) === fileBytes ? header : undefined;
}

const int32At = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getInt32(at, true);

const isSound = (header: LlamaHeader): boolean => {
  const { hidden, ffn, layers, heads, keyValueHeads, vocabulary, positions } = header;
  return (
    Math.min(hidden, ffn, layers, heads, keyValueHeads, vocabulary, positions) > 0 &&
    layers <= MAX_LAYERS &&
    hidden % (2 * heads) === 0 &&
    heads % keyValueHeads === 0
  );
};

/** Bytes of a file whose header says so. */
function statedBytes(header: LlamaHeader): number {
  const values = weightsOf(header).reduce(
    (sum, { rows, columns, layers }) => sum + rows * columns * layers,
    0,
  );
  return headerBytes[header.version] + 4 * values;
}

/** Weights that lie together, of all layers one after the other. */
export interface WeightRun {
  /** transformers' name, with `#` for the number of the layer; undefined for what it computes. */
  readonly name?: string;
  readonly rows: number;
  readonly columns: number;
  readonly layers: number;
  /** A vector where it is one row. */
  readonly isVector?: boolean;
  /** Heads whose rows lie in pairs of two that rotate together; transformers has them in halves. */
  readonly pairedHeads?: number;
}

/** All that a file holds, in its order (export.py of karpathy/llama2.c). */
export function weightsOf(header: LlamaHeader): readonly WeightRun[] {
  const { version, hidden, ffn, layers, heads, keyValueHeads, vocabulary, positions } = header;
  const keyValues = (hidden / heads) * keyValueHeads;
  const vector = (name: string, count: number): WeightRun => {
    return { name, rows: 1, columns: hidden, layers: count, isVector: true };
  };
  const matrix = (name: string, rows: number, columns: number): WeightRun => {
    return { name: `model.layers.#.${name}.weight`, rows, columns, layers };
  };
  const before = vector('model.layers.#.input_layernorm.weight', layers);
  const between = vector('model.layers.#.post_attention_layernorm.weight', layers);
  const last = vector('model.norm.weight', 1);
  const words = { name: 'model.embed_tokens.weight', rows: vocabulary, columns: hidden, layers: 1 };
  const attention = [
    { ...matrix('self_attn.q_proj', hidden, hidden), pairedHeads: heads },
    { ...matrix('self_attn.k_proj', keyValues, hidden), pairedHeads: keyValueHeads },
    matrix('self_attn.v_proj', keyValues, hidden),
    matrix('self_attn.o_proj', hidden, hidden),
  ];
  const feedForward = [
    matrix('mlp.gate_proj', ffn, hidden),
    matrix('mlp.down_proj', hidden, ffn),
    matrix('mlp.up_proj', ffn, hidden),
  ];
  const rotations = { rows: positions, columns: hidden / heads / 2, layers: 1 };
  const scores = header.isTied ? [] : [{ ...words, name: 'lm_head.weight' }];
  return version === 0
    ? [
        ...[words, before, ...attention, between, ...feedForward, last],
        ...[rotations, rotations, ...scores],
      ]
    : [before, between, last, words, ...attention, ...feedForward, ...scores];
}
