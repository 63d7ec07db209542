import type { RunDetail } from '../../src/protocol/messages';
import { t } from '../shared/strings';

/** A held-out loss to draw as a dotted line across the chart. */
export interface Level {
  readonly model: 'small' | 'before' | 'after';
  readonly loss: number;
}

const levelModels = ['small', 'before', 'after'] as const;

/** What a level line is called. */
export function levelName(model: Level['model']): string {
  const names = {
    small: t('small model'),
    before: t('grown, before learning'),
    after: t('grown, after learning'),
  };
  return names[model];
}

/** The newest held-out loss of the small and the grown model. */
export function levelsOf(evaluations: RunDetail['evaluations']): readonly Level[] {
  return levelModels.flatMap(model => {
    const loss = evaluations.filter(evaluation => evaluation.model === model).at(-1)?.loss;
    return loss === undefined || !Number.isFinite(loss) ? [] : [{ model, loss }];
  });
}

/** The loss axis: all finite values with a little room; only positive ones on a log axis. */
export function lossRange(
  values: readonly number[],
  logarithmic: boolean,
): readonly [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value) || (logarithmic && value <= 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return logarithmic ? [0.1, 1] : [0, 1];
  if (logarithmic) {
    const room = Math.max(1.01, (high / low) ** 0.06);
    return [low / room, high * room];
  }
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
}

/** Ticks on an axis at most. */
const mostTicks = 1000;

/** Round numbers to write beside the loss axis, about `count` of them. */
export function lossTicks(
  low: number,
  high: number,
  count: number,
  logarithmic: boolean,
): number[] {
  if (logarithmic && high / low > 4) {
    const ticks: number[] = [];
    const units = high / low > 1e4 ? [1] : [1, 2, 5];
    // No number is smaller or larger than these powers.
    const last = Math.min(308, Math.log10(high));
    for (let power = Math.max(-324, Math.floor(Math.log10(low))); power <= last; power++) {
      for (const unit of units) {
        const tick = unit * 10 ** power;
        if (tick >= low && tick <= high) ticks.push(Number(tick.toPrecision(1)));
      }
    }
    return ticks;
  }
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find(unit => unit * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step);
  // Numbers so large that neighbours are further apart than the ticks have none.
  const length = Math.floor(high / step) - first + 1;
  if (!(length > 0 && length <= mostTicks) || first + 1 === first) return [];
  return Array.from({ length }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/**
 * Moves labels apart: heights in pixels, at least `apart` from each other, in the same order, each as
 * near to its own height as a crowd of neighbours lets it.
 */
export function spreadLabels(heights: readonly number[], apart: number): readonly number[] {
  const crowds: { members: number[]; center: number }[] = [];
  const order = heights.map((_, index) => index);
  order.sort((a, b) => (heights[a] ?? 0) - (heights[b] ?? 0));
  for (const index of order) {
    let crowd = { members: [index], center: heights[index] ?? 0 };
    for (let last = crowds.at(-1); last !== undefined; last = crowds.at(-1)) {
      const room = ((last.members.length + crowd.members.length) / 2) * apart;
      if (crowd.center - last.center >= room) break;
      crowds.pop();
      const members = [...last.members, ...crowd.members];
      const sum = members.reduce((total, member) => total + (heights[member] ?? 0), 0);
      crowd = { members, center: sum / members.length };
    }
    crowds.push(crowd);
  }
  const placed = [...heights];
  for (const { members, center } of crowds) {
    members.forEach((member, place) => {
      placed[member] = center + (place - (members.length - 1) / 2) * apart;
    });
  }
  return placed;
}

/** Every how-manieth point a table of at most `most` rows shows; the last is always among them. */
export function sampledIndices(length: number, most: number): readonly number[] {
  if (length === 0) return [];
  const step = Math.max(1, Math.ceil(length / most));
  const indices: number[] = [];
  for (let index = 0; index < length; index += step) indices.push(index);
  if (indices.at(-1) !== length - 1) indices.push(length - 1);
  return indices;
}
