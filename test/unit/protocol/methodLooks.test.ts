import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lookColors, methodLooks } from '../../../src/protocol/methodLooks';
import { growthMethodNames } from '../../../src/growth/methods';

/** Contrast of two colours written as #rrggbb, from 1 to 21 (WCAG 2.2, "contrast ratio"). */
function contrast(one: string, other: string): number {
  const luminance = (color: string): number =>
    [0.2126, 0.7152, 0.0722].reduce((sum, weight, channel) => {
      const value = parseInt(color.slice(1 + 2 * channel, 3 + 2 * channel), 16) / 255;
      return sum + weight * (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    }, 0);
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

describe('the looks of compared methods', () => {
  it('differ between all methods there are, and leave training from scratch plain', () => {
    const looks = methodLooks(growthMethodNames);
    assert.equal(looks.get('random'), undefined);
    const drawn = new Set([...looks.values()].map(look => JSON.stringify(look)));
    assert.equal(drawn.size, growthMethodNames.length - 1);
  });

  it('differ also between methods that nobody has heard of, more than there are colours', () => {
    const names = Array.from({ length: 72 }, (_, index) => `method${index}`);
    const drawn = new Set([...methodLooks(names).values()].map(look => JSON.stringify(look)));
    assert.equal(drawn.size, 72);
  });

  it('stay when a method is added, and wherever training from scratch stands', () => {
    const before = methodLooks(['random', 'ligo', 'stack']);
    const after = methodLooks(['ligo', 'stack', 'tomorrow', 'random']);
    for (const method of ['ligo', 'stack']) {
      assert.deepEqual(after.get(method), before.get(method), method);
    }
  });

  it('are told apart from a light and from a dark page', () => {
    for (const { light, dark } of lookColors) {
      assert.ok(contrast(light, '#ffffff') >= 3, light);
      assert.ok(contrast(dark, '#1e1e1e') >= 3, dark);
    }
  });
});
