import type { Unit } from '../format';
import type { Spread } from '../protocol/comparison';

/** Three digits: 7.94, 151, 0.0319. */
export const shortText = (value: number): string => String(Number(value.toPrecision(3)));

/** The unit in which seconds up to a number are written. */
export function timeUnit(largest: number): Unit {
  if (largest >= 2 * 3600) return { name: 'h', size: 3600 };
  return largest >= 300 ? { name: 'min', size: 60 } : { name: 's', size: 1 };
}

/** An amount in its own unit: 7.94 GFLOP. */
export function inUnit(value: number, unitOf: (largest: number) => Unit): string {
  const { name, size } = unitOf(value);
  return `${shortText(value / size)} ${name}`;
}

/** A loss in nats with the digits worth comparing. */
export const lossText = (loss: number): string => loss.toFixed(3);

/** A share as per cent, with a true minus sign. */
export const shareText = (share: number): string =>
  `${(100 * share).toFixed(1)} %`.replace('-', '−');

/** Smallest to largest, the unit once where it is the same; undefined where there is no range. */
export function rangeText(
  { least, most }: Spread,
  text: (value: number) => string,
): string | undefined {
  if (least === most) return undefined;
  const [low, unit] = text(least).split(' ');
  const [high, otherUnit] = text(most).split(' ');
  if (unit !== otherUnit) return `${text(least)} to ${text(most)}`;
  return `${low} to ${high}${unit === undefined ? '' : ` ${unit}`}`;
}
