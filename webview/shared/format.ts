import {
  formatBytes as inDecimalUnits,
  formatFlops as inFlops,
  formatSeconds,
  type DurationWords,
} from '../../src/format';
import { t } from './strings';

const integer = new Intl.NumberFormat();
const threeDecimals = new Intl.NumberFormat(undefined, {
  minimumFractionDigits: 3,
  maximumFractionDigits: 3,
});
const threeDigits = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });
const oneDecimal = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const percentage = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** 792544 → "792,544". */
export const formatInteger = (value: number): string => integer.format(value);
/** A number of things, in the person's language; both forms have it as {0}. */
export const plural = (count: number, one: string, several: string): string =>
  t(count === 1 ? one : several, formatInteger(count));
export { formatCompact } from '../../src/format';

/** A loss in nats, three decimals. */
export const formatLoss = (value: number): string =>
  Number.isFinite(value) ? threeDecimals.format(value) : t('not finite');
/** 0.183 → "18.3%". */
export const formatShare = (value: number): string => percentage.format(value);
/** Milliseconds since the epoch, or an ISO date, as a date and time. */
export const formatMoment = (value: number | string): string => moment.format(new Date(value));

/** A matrix element: six significant digits, exponent where that is shorter. */
export function formatValue(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  const text =
    size < 1e-4 || size >= 1e6 ? value.toExponential(4) : String(Number(value.toPrecision(6)));
  return text.replace('-', '−');
}

/** A number for an axis or legend: three significant digits. */
export function formatTick(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  const text =
    size < 1e-3 || size >= 1e5 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
  return text.replace('-', '−');
}

/** A learning rate: three significant digits, 0.0006 and 3.38e−8. */
export function formatRate(value: number): string {
  if (value === 0) return '0';
  const text = value < 1e-4 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
  return text.replace(/\.?0+e/, 'e').replace('-', '−');
}

/** Bytes in the units that everything else here counts in: 3170176 → "3.17 MB". */
export const formatBytes = (bytes: number): string => inDecimalUnits(bytes, threeDigits);

/** Floating-point operations: 1.7e11 → "171 GFLOP". */
export const formatFlops = (flops: number): string => inFlops(flops, threeDigits);

const words: DurationWords = {
  seconds: seconds => t('{0} s', oneDecimal.format(seconds)),
  minutes: (minutes, seconds) => t('{0} min {1} s', minutes, seconds),
  hours: (hours, minutes) => t('{0} h {1} min', integer.format(hours), minutes),
};

/** Seconds as people say them: "42 s", "3 min 5 s", "2 h 10 min". */
export const formatDuration = (seconds: number): string => formatSeconds(seconds, words);

/** [768, 3072] → "768 × 3072". */
export const formatShape = (shape: readonly number[]): string =>
  shape.length === 0 ? t('scalar') : shape.join(' × ');
