import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  growthMethod,
  growthMethodNames,
  growthMethods,
  type GrowthMethod,
} from '../../../../src/growth';
import { defaultLigoSettings, ligoDefaults } from '../../../../src/run/settings';
import { scheduleScale } from '../../../../src/training';
import { smallSizes, targets, tinyGrowth } from '../../../support/tinyGrowth';
import { doubled } from './support';

describe('the methods', () => {
  it('have names of their own, which find them', () => {
    assert.equal(new Set(growthMethodNames).size, growthMethods.length);
    for (const method of growthMethods) {
      assert.equal(growthMethod(method.name), method);
      assert.match(method.name, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    }
  });

  it('need data exactly when they learn', () => {
    for (const { name, needsData, making } of growthMethods) {
      assert.equal(needsData, making.kind === 'learned', name);
    }
  });

  it('are what docs/methods.md lists, in its order and words', () => {
    const path = fileURLToPath(new URL('../../../../docs/methods.md', import.meta.url));
    const cells = readFileSync(path, 'utf8')
      .split('\n')
      .filter(line => line.startsWith('| `'))
      .map(line =>
        line
          .split('|')
          .map(cell => cell.trim())
          .slice(1, -1),
      );
    const row = ({ name, title, does, preserves, needsData, source }: GrowthMethod): string[] => [
      `\`${name}\``,
      title,
      does,
      preserves,
      needsData ? 'yes' : 'no',
      source,
    ];
    assert.deepEqual(cells, growthMethods.map(row));
  });
});

describe('ligo-paper', () => {
  it('never passes the learning rate that the released command reaches', () => {
    const { widthLearningRate, depthLearningRate, warmup, schedule } = ligoDefaults('ligo-paper');
    assert.equal(widthLearningRate, depthLearningRate);
    const rates = Array.from(
      { length: 100 },
      (_, step) =>
        widthLearningRate * scheduleScale({ kind: schedule, steps: 100, warmup: warmup! }, step),
    );
    assert.ok(Math.max(...rates) <= 2e-6 && Math.max(...rates) > 1.9e-6);
  });

  it('leaves the defaults of ligo as they are', () => {
    assert.deepEqual(ligoDefaults('ligo'), defaultLigoSettings);
  });
});

describe('training stages', () => {
  const depth = { ...smallSizes, numHiddenLayers: 4 };
  const staged = growthMethods.filter(({ stages }) => stages);

  it('have shares that add up to one and name parameters of the large model', () => {
    assert.deepEqual(
      staged.map(({ name }) => name),
      ['mslt', 'llama-pro'],
    );
    for (const { name, stages } of staged) {
      const growth = tinyGrowth('bert', depth);
      const ids = new Set(growth.target.parameters.map(({ id }) => id));
      const found = stages!(growth);
      assert.equal(
        found.reduce((sum, { share }) => sum + share, 0),
        1,
        name,
      );
      for (const { trains } of found) {
        assert.ok(trains.length > 0 && trains.every(id => ids.has(id)), name);
      }
    }
  });

  it('train the new top layers and what reads them, then everything, in mslt', () => {
    const growth = tinyGrowth('gpt2', depth);
    const [top, all] = growthMethod('mslt').stages!(growth);
    const parts = new Set(top!.trains.map(id => id.split('.').slice(0, 2).join('.')));
    assert.deepEqual(parts, new Set(['layers.2', 'layers.3', 'final.norm']));
    assert.deepEqual(
      all!.trains,
      growth.target.parameters.filter(({ used }) => used).map(({ id }) => id),
    );
  });

  it('train the inserted layers alone in llama-pro', () => {
    const [only, ...others] = growthMethod('llama-pro').stages!(tinyGrowth('bert', depth));
    assert.equal(others.length, 0);
    const layers = new Set(only!.trains.map(id => id.split('.').slice(0, 2).join('.')));
    assert.deepEqual(layers, new Set(['layers.1', 'layers.3']));
  });
});

describe('growths that a method cannot make', () => {
  const reasons = (name: 'mslt' | 'llama-pro', target: typeof doubled): string[] =>
    growthMethod(name).refusals!(tinyGrowth('bert', target)).map(({ reason }) => reason);

  it('are refused by mslt unless layers are added, at most as many as there are', () => {
    assert.deepEqual(reasons('mslt', { ...doubled, numHiddenLayers: 4 }), []);
    assert.match(reasons('mslt', doubled)[0]!, /from 2 layers it makes 3 to 4, not 2/);
    assert.match(reasons('mslt', targets['in depth'])[0]!, /3 to 4, not 5/);
  });

  it('are refused by llama-pro when anything gets wider', () => {
    assert.deepEqual(reasons('llama-pro', targets['in depth']), []);
    assert.match(reasons('llama-pro', targets['in both'])[0]!, /widens nothing/);
    assert.match(reasons('llama-pro', targets['in its feed-forward size'])[0]!, /widens nothing/);
  });
});
