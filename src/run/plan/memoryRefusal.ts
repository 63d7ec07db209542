import type { DeviceMemory } from '../../engine';
import { UserError } from '../../errors';
import { formatBytes } from '../../format';
import { lower } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

const usualRemedy = advise`${lower('batch', 'sequenceLength')}, choose a smaller target, or close what else uses that memory.`;

/** Why a run does not fit what memory its device has left, in numbers; undefined when it does. */
export function memoryRefusal(
  taken: number,
  { bytes, of, isMain = false }: DeviceMemory,
  remedy = usualRemedy,
): UserError | undefined {
  if (taken <= bytes) return undefined;
  return new UserError(
    `${isMain ? 'The run' : 'A step'} takes about ${formatBytes(taken)} of memory, and ${of} has ${formatBytes(bytes)} free.`,
    remedy,
  );
}

/** Throws UserError when steps do not fit the device: a refusal is better than a crash. */
export function requireMemory(peakBytes: number, memory: DeviceMemory): void {
  const refusal = memoryRefusal(peakBytes, memory);
  if (refusal) throw refusal;
}
