import {
  assembleTensor,
  byStoredTensor,
  type Architecture,
  type Parameter,
} from '../../architecture';
import { writeCheckpoint, type TensorToWrite } from '../../checkpoint/writeCheckpoint';
import type { Moment } from '../../growth';
import { withoutOffset, momentTensor, moments, stateFile } from '../open/optimizerState';

/** Gives a parameter's moment when its turn comes; nothing for one that has none yet. */
export type MomentValues = (
  parameter: Parameter,
  moment: Moment,
) => Promise<Float32Array | undefined>;

/** What AdamW knows of a model's gradients, to be written beside its weights. */
export interface OptimizerStateToWrite {
  /** Updates that the moments have seen. */
  readonly updates: number;
  readonly values: MomentValues;
}

/**
 * Writes optimizer.safetensors: `exp_avg.<tensor>` and `exp_avg_sq.<tensor>` (torch.optim.AdamW's names) for
 * every stored tensor that trains, in its shape and in float32. `weights` is the SHA-256 of the model's files.
 */
export async function writeOptimizerState(
  directory: string,
  architecture: Architecture,
  { updates, values }: OptimizerStateToWrite,
  weights: string,
  options: { readonly maxShardBytes?: number | undefined } = {},
): Promise<void> {
  const { maxShardBytes } = options;
  const tensors = moments.flatMap(moment => tensorsOf(architecture, moment, values));
  await writeCheckpoint(directory, tensors, {
    baseName: stateFile,
    finite: true,
    metadata: { format: 'ligo', updates: `${updates}`, weights },
    ...(maxShardBytes !== undefined && { maxShardBytes }),
  });
}

function tensorsOf(
  { parameters }: Architecture,
  moment: Moment,
  values: MomentValues,
): readonly TensorToWrite[] {
  return [...byStoredTensor(parameters.map(withoutOffset))].flatMap(([tensor, parts]) => {
    const [first] = parts as readonly [Parameter];
    if (!parts.some(({ used }) => used)) return [];
    return [
      {
        name: momentTensor(moment, tensor),
        type: 'F32' as const,
        shape: first.stored.shape,
        values: async () => {
          const found: Float32Array[] = [];
          for (const part of parts) found.push((await values(part, moment)) ?? zeros(part));
          return assembleTensor(parts, found);
        },
      },
    ];
  });
}

const zeros = ({ shape }: Parameter): Float32Array =>
  new Float32Array(shape.reduce((product, length) => product * length, 1));
