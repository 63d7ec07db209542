import { randomGenerator } from '../../src/random';

/** Numbers in [0, 1), the same for the same seed. */
export const numbers = (seed: number): (() => number) => randomGenerator(seed).uniform;

/** Values that nobody expects. */
const strange: readonly unknown[] = [
  ...[
    null,
    true,
    '',
    'x'.repeat(300_000),
    [],
    {},
    [[[[1]]]],
    -1,
    0,
    0.5,
    1e9 + 1,
    2 ** 53,
    -(2 ** 53),
  ],
  ...[1e308, -1e308, '\u202e', 1e-320],
];

/** JSON text nested so deep that what walks it by calling itself ends. */
export const deepJson = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;

/** Changes one value somewhere in a tree. */
export function mutate(value: unknown, draw: () => number): unknown {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(draw() * list.length)]!;
  if (typeof value !== 'object' || value === null || draw() < 0.15) return pick(strange);
  if (Array.isArray(value)) {
    if (value.length === 0 || draw() < 0.1) return [...(value as unknown[]), pick(strange)];
    const at = Math.floor(draw() * value.length);
    return value.map((item, index) => (index === at ? mutate(item, draw) : (item as unknown)));
  }
  const entries = Object.entries(value);
  const at = Math.floor(draw() * entries.length);
  if (draw() < 0.15) return Object.fromEntries(entries.filter((_, index) => index !== at));
  return Object.fromEntries(
    entries.map(([key, item], index) => [key, index === at ? mutate(item, draw) : item]),
  );
}
