import type { RandomGenerator } from '../../src/random';

/** Draws for one input, the same for the same seed and index. */
export class Draw {
  constructor(private readonly generator: RandomGenerator) {}

  /** True with some probability. */
  chance(probability: number): boolean {
    return this.generator.uniform() < probability;
  }

  /** A whole number from 0 up to, not including, a bound. */
  below(bound: number): number {
    return Math.floor(this.generator.uniform() * bound);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** Values that readers did not think of. */
const strange: readonly unknown[] = [
  ...[null, true, false, '', 'x', '\u202e', '\ud800', '__proto__', '../x', '/etc/passwd', 'a\0b'],
  ...[-1, 0, 0.5, 1, 2, 3, 1e9, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e308, -1e308, 1e-320],
  ...[[], {}, [[]], [null], { a: 1 }, [1, 2, 3], [0, 2 ** 53], 'x'.repeat(100_000)],
  ...['(a*)*b', '(a|aa)+$', '(?<=a)', '[', '\\', '(x+x+)+y'],
];

/** Changes one place of a tree: another value, one less, one more, one under another name. */
export function mutateJson(value: unknown, draw: Draw): unknown {
  if (typeof value !== 'object' || value === null || draw.chance(0.1)) {
    return typeof value === 'number' && draw.chance(0.5)
      ? value + draw.pick([-1, 1, 0.5, 8, -8])
      : draw.pick(strange);
  }
  if (Array.isArray(value)) {
    const list = value as readonly unknown[];
    if (list.length === 0 || draw.chance(0.1)) return [...list, draw.pick(strange)];
    const at = draw.below(list.length);
    if (draw.chance(0.1)) return list.filter((_, index) => index !== at);
    if (draw.chance(0.1)) return [...list, list[at]];
    return list.map((item, index) => (index === at ? mutateJson(item, draw) : item));
  }
  const entries = Object.entries(value);
  if (entries.length === 0 || draw.chance(0.1)) {
    return { ...value, [String(draw.pick(strange)).slice(0, 50)]: draw.pick(strange) };
  }
  const at = draw.below(entries.length);
  if (draw.chance(0.15)) return Object.fromEntries(entries.filter((_, index) => index !== at));
  if (draw.chance(0.1)) {
    const [name] = draw.pick(entries);
    return Object.fromEntries(entries.map(([key, item], i) => [i === at ? name : key, item]));
  }
  return Object.fromEntries(
    entries.map(([key, item], i) => [key, i === at ? mutateJson(item, draw) : item]),
  );
}

/** The text of a tree with a few places changed, sometimes torn or no JSON at all. */
export function hostileJson(value: unknown, draw: Draw): Buffer {
  let tree = value;
  for (let changes = 1 + draw.below(3); changes > 0; changes--) tree = mutateJson(tree, draw);
  const text = Buffer.from(JSON.stringify(tree) ?? 'undefined');
  return draw.chance(0.15) ? mutateBytes(text, draw) : text;
}

/** Bytes with a few of them changed, none moved: what tells of sizes stays where it was. */
export function flipBytes(bytes: Buffer, draw: Draw): Buffer {
  const out = Buffer.from(bytes);
  for (let changes = 1 + draw.below(4); changes > 0; changes--) {
    out[draw.below(out.length)] = draw.chance(0.2) ? 0xff : draw.below(256);
  }
  return out;
}

/** Bytes with a few places flipped, cut out, repeated or cut off. */
export function mutateBytes(bytes: Buffer, draw: Draw): Buffer {
  let out = Buffer.from(bytes);
  for (let changes = 1 + draw.below(4); changes > 0; changes--) {
    const at = draw.below(out.length + 1);
    const length = draw.below(Math.min(64, out.length - at + 1));
    switch (draw.below(5)) {
      case 0:
        if (at < out.length) out[at] = draw.below(256);
        break;
      case 1:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)]);
        break;
      case 2:
        out = Buffer.concat([out.subarray(0, at + length), out.subarray(at)]);
        break;
      case 3:
        out = out.subarray(0, at);
        break;
      default:
        out = Buffer.concat([
          out.subarray(0, at),
          Buffer.from(
            draw.pick([[0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0], [0x80], [0xed, 0xa0, 0x80]]),
          ),
          out.subarray(at),
        ]);
    }
  }
  return out;
}
