import { createHash } from 'node:crypto';
import type { ComparisonReport } from '../../protocol/comparison';

/**
 * Fields of a report, at whatever depth, that tell when, where and how fast it was made, what was kept and
 * not what was found: they differ between two comparisons that are the same.
 */
const leftOut = new Set([
  'digest',
  'created',
  'command',
  'software',
  'machine',
  'models',
  'path',
  'seconds',
  'growthSeconds',
]);

/**
 * SHA-256 of everything a report found: its JSON without the fields above, the others in the order of
 * their names. Equal for a comparison that was stopped or killed and gone on with, and for one that
 * was repeated with the same engine on the same kind of machine.
 */
export const reportDigest = (report: Omit<ComparisonReport, 'digest'>): string =>
  createHash('sha256')
    .update(JSON.stringify(found(report)))
    .digest('hex');

function found(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(found);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !leftOut.has(name))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, part]) => [name, found(part)]),
  );
}
