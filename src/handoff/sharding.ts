import { formatBytes, formatCount } from '../format';
import type { MachineFacts } from '../protocol/handoff';

/** How weights, gradients and moments lie on GPUs. */
export interface Sharding {
  readonly kind: 'single' | 'ddp' | 'fsdp';
  /** The arithmetic, in a sentence or two. */
  readonly why: string;
  /** False where even shards leave activations too little room. */
  readonly fits: boolean;
}

/** Bytes of a parameter under AdamW in float32: weight, gradient and two moments. */
const bytesAlone = 16;
/** The same with the buckets that DistributedDataParallel sums gradients in. */
const bytesInBuckets = 20;
/** What weights and their like may take of a GPU's memory; activations need the rest. */
const share = 0.6;

export const processes = ({ nodes, gpus }: MachineFacts): number => nodes * gpus;

/** Whole models on every GPU where they fit (DDP), else shards of one (FSDP). */
export function sharding({
  model: { parameters },
  machines,
}: {
  readonly model: { readonly parameters: number };
  readonly machines: MachineFacts;
}): Sharding {
  const count = processes(machines);
  const room = share * machines.gpuBytes;
  const each = count === 1 ? bytesAlone : bytesInBuckets;
  const whole = parameters * each;
  const parts =
    count === 1
      ? 'weight, gradient and two moments of AdamW in float32'
      : 'weight, gradient, the bucket that it is summed in and two moments of AdamW, in float32';
  const sum = `${formatCount(parameters)} parameters × ${each} bytes (${parts}) are ${formatBytes(whole)}`;
  const limit = `${formatBytes(room)}, ${100 * share} % of a GPU's ${formatBytes(machines.gpuBytes)}, the rest being for activations`;
  if (whole <= room) {
    const kind = count === 1 ? 'single' : 'ddp';
    const so = count === 1 ? 'it fits on the one GPU' : 'every GPU holds all of it (DDP)';
    return { kind, fits: true, why: `${sum}. That is within ${limit}: ${so}.` };
  }
  const shard = (parameters * bytesAlone) / count;
  const fits = shard <= room;
  const over = `${sum}. That is more than ${limit}`;
  if (count === 1) return { kind: 'single', fits, why: `${over}: give more GPUs.` };
  const so = `each of ${count} GPUs holds a shard of it (FSDP), ${formatBytes(shard)} at ${bytesAlone} bytes`;
  return {
    kind: 'fsdp',
    fits,
    why: fits ? `${over}: ${so}.` : `${over}: ${so}, which is still too much. Give more GPUs.`,
  };
}
