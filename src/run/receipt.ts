import type { Receipt } from '../protocol/events';
import manifest from '../../package.json';

/** Name and version of this software, for receipts. */
export const software: Receipt['software'] = { name: manifest.name, version: manifest.version };

/**
 * A model that has learned nothing but frequencies sits within this share of the distance from the
 * frequencies' loss down to the small model's.
 */
const collapsedShare = 0.1;

/**
 * Says so when a grown model predicts little better than target frequencies alone, although the
 * small model does.
 */
export function collapseWarning(
  loss: number,
  frequencies: number,
  small: number,
): { message: string; remedy: string } | undefined {
  const reach = frequencies - small;
  if (reach <= 0 || loss < frequencies - collapsedShare * reach) return undefined;
  return {
    message: `The grown model collapsed: its held-out loss of ${loss.toFixed(3)} is no better than predicting by frequency alone (${frequencies.toFixed(3)}); the small model has ${small.toFixed(3)}.`,
    remedy:
      'Lower the learning rate (--learning-rate) or lengthen the warm-up (--warmup) and grow again.',
  };
}
