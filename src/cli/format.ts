const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

/** A count for people: 1,234,567. */
export const formatCount = (count: number): string => whole.format(count);

/** A value with the largest decimal prefix that keeps it at 1 or more: `[['GB', 1e9], …]`. */
function scaled(value: number, units: readonly (readonly [string, number])[]): string {
  const [name, size] = units.find(([, least]) => Math.abs(value) >= least) ?? units.at(-1)!;
  return `${short.format(value / size)} ${name}`;
}

export { formatBytes } from '../format';

const flopUnits = [
  ['EFLOP', 1e18],
  ['PFLOP', 1e15],
  ['TFLOP', 1e12],
  ['GFLOP', 1e9],
  ['MFLOP', 1e6],
  ['FLOP', 1],
] as const;

/** Floating-point operations for people: 7.94 GFLOP. */
export const formatFlops = (flops: number): string => scaled(flops, flopUnits);

/** A duration for people: 0.4 s, 12 s, 3 min 20 s, 2 h 5 min. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${short.format(Math.round(seconds * 10) / 10)} s`;
  const rounded = Math.round(seconds);
  if (rounded < 60) return `${rounded} s`;
  if (rounded < 3600) return `${Math.floor(rounded / 60)} min ${rounded % 60} s`;
  const minutes = Math.round(rounded / 60);
  return `${whole.format(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

/** A share 0…1 as per cent: 32.7 %. */
export const formatShare = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** A loss in nats with the digits worth comparing. */
export const formatLoss = (loss: number): string => loss.toFixed(4);
