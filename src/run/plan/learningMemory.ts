import type { DeviceMemory } from '../../engine';
import type { UserError } from '../../errors';
import { formatBytes } from '../../format';
import type { Growth } from '../../growth';
import type { BatchShape } from '../../training';
import { learningCost } from './plan';
import { bytesTaken, type StepBytes } from './processMemory';
import { memoryRefusal } from './memoryRefusal';
import type { LigoSettings } from '../settings';
import { setAll, type Named } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** A way to need less: options as a person sets them, and what they make of a growth. */
interface Way {
  readonly options: readonly Named[];
  readonly settings: LigoSettings;
  readonly batchSize: number;
}

/** Ways to need less, the cheapest first. */
function lighter(settings: LigoSettings, { batchSize }: BatchShape): Way[] {
  const recomputing = { ...settings, recompute: true };
  const sharing = settings.mapping ? undefined : { mapping: 'shared-ffn' as const };
  const recompute: readonly Named[] = settings.recompute ? [] : ['recompute'];
  const share: readonly Named[] = sharing ? ['shareFfn'] : [];
  const parts = batchSize * (settings.accumulate ?? 1);
  const split: readonly Named[] =
    batchSize > 1
      ? [
          ['accumulate', parts],
          ['batch', 1],
        ]
      : [];
  return [
    { options: recompute, settings: recomputing, batchSize },
    { options: [...recompute, ...share], settings: { ...recomputing, ...sharing }, batchSize },
    {
      options: [...recompute, ...share, ...split],
      settings: { ...recomputing, ...sharing, accumulate: parts },
      batchSize: 1,
    },
  ].filter(({ options }, index, all) => options.length > (all[index - 1]?.options.length ?? 0));
}

/** Why learning does not fit the memory of its device, with what would; undefined when it does. */
export function learningRefusal(
  growth: Growth,
  settings: LigoSettings,
  shape: BatchShape,
  {
    engine,
    memory,
    cost,
  }: {
    readonly engine: string;
    readonly memory: DeviceMemory;
    readonly cost: StepBytes;
  },
): UserError | undefined {
  const bytes = bytesTaken(engine, cost, memory);
  if (bytes <= memory.bytes) return undefined;
  for (const { options, settings: other, batchSize } of lighter(settings, shape)) {
    const less = bytesTaken(engine, learningCost(growth, other, { ...shape, batchSize }), memory);
    if (less > memory.bytes) continue;
    const brings = options.length > 1 ? 'they bring' : 'it brings';
    const remedy = advise`${setAll(options)}: ${brings} that to about ${formatBytes(less)}.`;
    return memoryRefusal(bytes, memory, remedy);
  }
  return memoryRefusal(bytes, memory);
}
