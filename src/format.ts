/** Writes a number in some language. */
type NumberText = Pick<Intl.NumberFormat, 'format'>;

const threeDigits = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A unit: its name and its size. */
export interface Unit {
  readonly name: string;
  readonly size: number;
}

/** Names and sizes, the largest first. */
type Units = readonly (readonly [name: string, size: number])[];

/** The largest unit that keeps an amount at 1 or more. */
function unitOf(amount: number, units: Units): Unit {
  const [name, size] = units.find(([, least]) => Math.abs(amount) >= least) ?? units.at(-1)!;
  return { name, size };
}

const byteUnits = [
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
  ['bytes', 1],
] as const;

/**
 * Bytes for people, everywhere in the same units: decimal ones, as disks, macOS, GNOME and transformers
 * count, so that what a plan, a panel and a receipt say can be compared: 5.37 GB.
 * @param number writes three digits; English where absent.
 */
export function formatBytes(bytes: number, number: NumberText = threeDigits): string {
  if (bytes === 1) return '1 byte';
  const { name, size } = unitOf(bytes, byteUnits);
  return `${number.format(bytes / size)} ${name}`;
}

const flopUnits = [
  ['EFLOP', 1e18],
  ['PFLOP', 1e15],
  ['TFLOP', 1e12],
  ['GFLOP', 1e9],
  ['MFLOP', 1e6],
  ['kFLOP', 1e3],
  ['FLOP', 1],
] as const;

/** The unit in which FLOPs up to a number are written. */
export const flopUnit = (largest: number): Unit => unitOf(largest, flopUnits);

/**
 * Floating-point operations for people: 7.94 GFLOP.
 * @param number writes three digits; English where absent.
 */
export function formatFlops(flops: number, number: NumberText = threeDigits): string {
  const { name, size } = flopUnit(flops);
  return `${number.format(flops / size)} ${name}`;
}

/** A count for people: 1,234,567. */
export const formatCount = (count: number): string => whole.format(count);

const compactUnits = [
  ['B', 1e9],
  ['M', 1e6],
  ['K', 1e3],
] as const;

/** A large count in few digits: 1,234,567 as 1.2 M. */
export function formatCompact(count: number): string {
  const unit = compactUnits.find(([, least]) => count >= least);
  if (!unit) return whole.format(count);
  const [name, size] = unit;
  const amount = count / size;
  return `${amount.toFixed(amount < 10 ? 1 : 0).replace(/\.0$/, '')} ${name}`;
}

/** What a duration is told with, in some language. */
export interface DurationWords {
  readonly seconds: (seconds: number) => string;
  readonly minutes: (minutes: number, seconds: number) => string;
  readonly hours: (hours: number, minutes: number) => string;
}

const english: DurationWords = {
  seconds: seconds => `${threeDigits.format(seconds)} s`,
  minutes: (minutes, seconds) => `${minutes} min ${seconds} s`,
  hours: (hours, minutes) => `${whole.format(hours)} h ${minutes} min`,
};

/** A duration for people: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min. */
export function formatSeconds(seconds: number, words = english): string {
  if (seconds < 10) return words.seconds(Math.round(seconds * 10) / 10);
  const rounded = Math.round(seconds);
  if (rounded < 60) return words.seconds(rounded);
  if (rounded < 3600) return words.minutes(Math.floor(rounded / 60), rounded % 60);
  const minutes = Math.round(rounded / 60);
  return words.hours(Math.floor(minutes / 60), minutes % 60);
}

/**
 * A number of things in English: `1 file`, `2,000 files`.
 * @param several the word for any number but one; with an s at its end where absent
 */
export const counted = (count: number, one: string, several = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : several}`;

/** A value out of a file as JSON, cut where it is long; of what JSON does not know, `nothing`. */
export const shortJson = (value: unknown, most = 60): string =>
  // Its type does not say that undefined has no JSON.
  ((JSON.stringify(value) as string | undefined) ?? 'nothing').slice(0, most);
