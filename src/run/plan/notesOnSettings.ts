import type { Note } from '../../errors';
import { formatBytes } from '../../format';
import { leaveOut } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';
import type { LigoSettings } from '../settings';
import type { StepBytes } from './processMemory';

/**
 * What a person should know of settings that do not do what they are for. `cost` is what a step takes with
 * them, `costWith` what it would take with others.
 */
export function notesOnSettings(
  settings: LigoSettings,
  cost: StepBytes,
  costWith: (others: LigoSettings) => StepBytes,
): Note[] {
  if (settings.recompute !== true) return [];
  const kept = costWith({ ...settings, recompute: false });
  if (kept.peakBytes > cost.peakBytes) return [];
  return [
    {
      message: `Computing activations twice saves no memory with batches of this size: a step takes ${formatBytes(cost.peakBytes)}, and ${formatBytes(kept.peakBytes)} where they are kept.`,
      remedy: advise`For less memory and time, ${leaveOut('recompute')}.`,
    },
  ];
}
