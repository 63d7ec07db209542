import { CorruptFileError, UnsupportedError, type UserError } from '../../../errors';
import type { JsonObject } from '../../jsonText';
import { contiguous } from '../../layouts/contiguous';
import type { ReadBytes } from '../../layouts/layout';
import { permuted } from '../../layouts/permuted';
import type { TensorInfo } from '../../tensor';
import type { FileContents, Format, FormatFile } from '../format';
import {
  headerBytes,
  readHeader,
  statedVersion,
  weightsOf,
  type LlamaHeader,
  type WeightRun,
} from './header';

/** Base of the rotations that llama2.c's programs have. */
const ROTATION_BASE = 10_000;

/** Llama models as llama2.c runs them: a few sizes and float32 weights. It holds all that config.json says. */
export const llama2c: Format = {
  id: 'llama2c',
  recognises: (head, fileBytes) =>
    statedVersion(head) !== undefined || readHeader(head, fileBytes) !== undefined,
  async open({ file, size, head, read }: FormatFile): Promise<FileContents> {
    const version = statedVersion(head);
    if (version !== undefined && version !== 1) {
      throw new UnsupportedError(
        version === 2
          ? `${file} is a llama2.c model of version 2, whose weights are quantised to 8 bits.`
          : `${file} is a llama2.c model of version ${version}; 0 and 1 are known here.`,
        'Export the model again as version 0 or 1: python export.py model.bin --version 1.',
      );
    }
    const header = readHeader(head, size);
    if (header === undefined) {
      throw new CorruptFileError(
        `${file} is a llama2.c model, but not of the ${size} bytes that it has.`,
        'Copy or download the file again, or export the model anew.',
      );
    }
    const tensors: TensorInfo[] = [];
    let begin: number = headerBytes[header.version];
    let rotations: number | undefined;
    for (const run of weightsOf(header)) {
      if (run.name === undefined) rotations ??= begin;
      for (let layer = 0; layer < run.layers; layer++) {
        if (run.name !== undefined) tensors.push(tensorOf(run, run.name, layer, begin, file));
        begin += 4 * run.rows * run.columns;
      }
    }
    const problem =
      rotations === undefined ? undefined : await rotationProblem(file, header, rotations, read);
    return {
      metadata: { format: `llama2.c, version ${header.version}` },
      tensors,
      config: configOf(header),
      problems: problem ? [problem] : [],
    };
  },
};

function tensorOf(
  { rows, columns, isVector, pairedHeads }: WeightRun,
  name: string,
  layer: number,
  begin: number,
  file: string,
): TensorInfo {
  const lying = contiguous('F32', begin);
  const pairs = pairedHeads === undefined ? 0 : rows / pairedHeads / 2;
  return {
    name: name.replace('#', String(layer)),
    type: 'F32',
    shape: isVector === true ? [columns] : [rows, columns],
    file,
    bytes: 4 * rows * columns,
    layout:
      pairedHeads === undefined
        ? lying
        : permuted(lying, 4, [pairedHeads, pairs, 2, columns], [0, 2, 1, 3]),
  };
}

const configOf = (header: LlamaHeader): JsonObject => ({
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: header.vocabulary,
  hidden_size: header.hidden,
  intermediate_size: header.ffn,
  num_hidden_layers: header.layers,
  num_attention_heads: header.heads,
  num_key_value_heads: header.keyValueHeads,
  max_position_embeddings: header.positions,
  hidden_act: 'silu',
  rms_norm_eps: 1e-5,
  rope_theta: ROTATION_BASE,
  tie_word_embeddings: header.isTied,
  bos_token_id: 1,
  eos_token_id: 2,
});

/** What is wrong when the rotations in a file are not those that its model is said to have. */
async function rotationProblem(
  file: string,
  { hidden, heads, positions }: LlamaHeader,
  begin: number,
  read: ReadBytes,
): Promise<UserError | undefined> {
  const half = hidden / heads / 2;
  if (positions < 2) return undefined;
  const row = await read(begin + 4 * half, begin + 8 * half);
  const isUsual = new Float32Array(row.buffer).every(
    (cosine, pair) => Math.abs(cosine - Math.cos(ROTATION_BASE ** (-pair / half))) < 1e-3,
  );
  if (isUsual) return undefined;
  return new UnsupportedError(
    `${file} rotates positions otherwise than by the base ${ROTATION_BASE}, which is the only one that llama2.c has.`,
    'Convert the model to safetensors with a config.json that gives its rope_theta.',
  );
}
