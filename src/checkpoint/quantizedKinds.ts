import { OnlyTensorsError } from '../errors';
import { isJsonObject, type JsonObject } from './jsonText';
import { quoted } from './names';

/** A way in which published checkpoints have their weights packed. */
interface QuantizedKind {
  readonly id: string;
  /** Ends "its weights are quantised by …". */
  readonly by: string;
  /** Names of the tensors that only it has. */
  readonly tensor: RegExp;
  /** What `quant_method` of config.json says of it, where names alone do not tell. */
  readonly method?: string;
  readonly remedy: string;
}

const ORIGINAL =
  'Grow the checkpoint that it was quantised from (its model card names it), then quantise the grown one.';

/** In the order in which they are looked for. */
const quantizedKinds: readonly QuantizedKind[] = [
  { id: 'awq', by: 'AWQ', tensor: /\.qweight$/, method: 'awq', remedy: ORIGINAL },
  { id: 'gptq', by: 'GPTQ', tensor: /\.qweight$/, remedy: ORIGINAL },
  {
    id: 'bitsandbytes-4bit',
    by: 'bitsandbytes to 4 bits',
    tensor: /\.quant_state\.bitsandbytes__/,
    remedy:
      'Load it with transformers, then model.dequantize() and save_pretrained into a new folder; or grow the checkpoint that it was quantised from.',
  },
  {
    id: 'bitsandbytes-8bit',
    by: 'bitsandbytes to 8 bits',
    tensor: /\.SCB$/,
    remedy:
      'Load it with transformers, then model.dequantize() and save_pretrained into a new folder; or grow the checkpoint that it was quantised from.',
  },
  {
    id: 'fp8',
    by: 'blocks of FP8',
    tensor: /\.weight_scale_inv$/,
    remedy:
      'Load it with quantization_config=FineGrainedFP8Config(dequantize=True) of transformers and save_pretrained into a new folder.',
  },
  {
    id: 'compressed-tensors',
    by: 'compressed-tensors',
    tensor: /\.weight_(?:packed|scale)$/,
    remedy:
      'Load it with quantization_config=CompressedTensorsConfig(run_compressed=False) of transformers and save_pretrained into a new folder.',
  },
  {
    id: 'hqq',
    by: 'HQQ',
    tensor: /\.W_q$/,
    remedy: ORIGINAL,
  },
];

/** MLX packs weights into 32-bit words beside their `scales` and `biases`. */
const mlx: Omit<QuantizedKind, 'tensor'> = {
  id: 'mlx',
  by: 'MLX',
  remedy:
    'Write it out whole with mlx_lm.convert --hf-path <folder> --dequantize, or grow the checkpoint that it was quantised from.',
};

/**
 * Why a checkpoint of quantised weights is not used, told by the names of its tensors; a config.json that
 * asks for quantisation when it is loaded says nothing of what is stored.
 */
export function quantizedProblem(
  file: string,
  names: ReadonlySet<string>,
  config: JsonObject | undefined,
): OnlyTensorsError | undefined {
  const asked = config?.['quantization_config'];
  const method = isJsonObject(asked) ? asked['quant_method'] : undefined;
  for (const name of names) {
    const kind =
      quantizedKinds.find(
        ({ tensor, method: only }) => tensor.test(name) && (only === undefined || only === method),
      ) ?? (isPackedByMlx(name, names) ? mlx : undefined);
    if (kind === undefined) continue;
    return new OnlyTensorsError(
      `${file}: its weights are quantised by ${kind.by} (${quoted(name)}); they can be listed, but not grown, because growing mixes weights, and packed ones hold no more than rounded numbers with scales beside them.`,
      kind.remedy,
    );
  }
  return undefined;
}

function isPackedByMlx(name: string, names: ReadonlySet<string>): boolean {
  const base = name.endsWith('.scales') ? name.slice(0, -'.scales'.length) : undefined;
  return base !== undefined && names.has(`${base}.biases`) && names.has(`${base}.weight`);
}
