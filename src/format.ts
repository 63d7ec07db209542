const threeDigits = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

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
export function formatBytes(bytes: number, number = threeDigits): string {
  if (bytes === 1) return '1 byte';
  const [name, size] = byteUnits.find(([, least]) => Math.abs(bytes) >= least) ?? byteUnits.at(-1)!;
  return `${number.format(bytes / size)} ${name}`;
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
