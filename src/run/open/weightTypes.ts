import type { ModelConfig } from '../../architecture';
import type { Checkpoint } from '../../checkpoint/checkpoint';
import { UnsupportedError, type Note } from '../../errors';

/** Element types that weights are read from and written as, as safetensors and as PyTorch call them. */
const weightTypes: Readonly<Record<string, string>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

/**
 * Checks the element types of the tensors a model is read from. Returns what is to be said of them.
 * @throws UnsupportedError when they are no floating-point numbers of 16 bits or more
 */
export function checkWeightTypes(
  { tensors }: Pick<Checkpoint, 'tensors'>,
  names: ReadonlyMap<string, string>,
): Note[] {
  const read = [...new Set(names.values())].map(name => tensors.get(name)!);
  const others = read.filter(({ type }) => !Object.hasOwn(weightTypes, type));
  const [first] = others;
  if (first) {
    const types = [...new Set(others.map(({ type }) => type))].join(', ');
    const are = others.length === 1 ? 'One tensor is' : `${others.length} tensors are`;
    throw new UnsupportedError(
      `${are} stored as ${types} (${first.name}), but weights are read from ${Object.values(weightTypes).join(', ')}.`,
      others.some(({ type }) => /^([IU]\d+|BOOL)$/.test(type))
        ? 'Whole numbers are weights that were rounded, or packed: take the checkpoint that they were made of.'
        : 'Convert it in Python: load it with dtype=torch.bfloat16, then save_pretrained into a new folder.',
    );
  }
  if (!read.some(({ type }) => type === 'F64')) return [];
  return [
    {
      message:
        'The weights are stored as float64, but everything here is computed and copied in float32 precision; what is written is stored as float64 again.',
      remedy: 'Nothing to do, unless you rely on digits beyond the seventh.',
    },
  ];
}

/** What is to be said of a config.json that has transformers quantise the weights. */
export function notesOnQuantization(config: ModelConfig | undefined): Note[] {
  const asked = config?.['quantization_config'];
  if (asked === undefined || asked === null) return [];
  const method = (asked as Readonly<Record<string, unknown>>)['quant_method'];
  const by = typeof method === 'string' ? ` (${JSON.stringify(method.slice(0, 40))})` : '';
  return [
    {
      message: `config.json asks transformers to quantise the weights${by}; here they are used as they are stored, and what is written keeps the request.`,
      remedy: 'Take quantization_config out of config.json if that is not meant.',
    },
  ];
}
