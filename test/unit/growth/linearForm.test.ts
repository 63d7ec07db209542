import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as g from '../../../src/graph';
import { grownWeights, spaceSizes, type Growth } from '../../../src/growth';
import {
  chooseForms,
  formCost,
  formPrice,
  narrowingPrice,
  narrowsInput,
  type LinearForm,
  type LinearSizes,
} from '../../../src/growth/linearForm';
import { randomGenerator } from '../../../src/random';
import { tinyGrowth } from '../../support/tinyGrowth';

const forms: readonly LinearForm[] = ['materialize', 'widenOutput', 'narrowInput', 'factored'];

function sizesOf({ target, ...growth }: Growth, module: string): LinearSizes {
  const { spaces } = target.parameters.find(({ id }) => id === `${module}.weight`)!;
  const [out, inner] = spaces.map(({ role }) => spaceSizes({ target, ...growth }, role));
  return { in1: inner!.small, in2: inner!.large, out1: out!.small, out2: out!.large };
}

/**
 * Multiply-adds that every form needs: blending the layers, and widening a bias that is added late,
 * with those of all layers if all write the residual stream.
 */
function common(growth: Growth, module: string, form: LinearForm): number {
  const { in1, out1, out2 } = sizesOf(growth, module);
  const [small, large] = [growth.source, growth.target].map(
    ({ dimensions }) => dimensions.numHiddenLayers,
  ) as [number, number];
  const lateBias = form === 'materialize' || form === 'narrowInput';
  const widened = /\.(o|fc2)$/.test(module) ? large : 1;
  return large * small * out1 * (in1 + 1) + (lateBias ? widened * out1 * (out2 - out1) : 0);
}

const narrowing = (n: number, { in1, in2 }: LinearSizes): number => n * in1 * (in2 - in1);

/** Small and large sizes whose heads divide. */
function randomGrowth(seed: number): Growth {
  const random = randomGenerator(seed, 0x666f726d);
  const heads = 1 + random.integer(3);
  const added = random.integer(3);
  const ffn = 4 + random.integer(30);
  const sizes = {
    numHiddenLayers: 2,
    hiddenSize: 4 * heads,
    numAttentionHeads: heads,
    intermediateSize: ffn,
  };
  return tinyGrowth(
    'gpt2',
    {
      numHiddenLayers: 3,
      hiddenSize: 4 * (heads + added),
      numAttentionHeads: heads + added,
      intermediateSize: ffn + random.integer(20),
    },
    sizes,
  );
}

describe('the form of a linear module', () => {
  it('costs what its graph costs, and no other form has a lower price', () => {
    const seen = new Set<LinearForm>();
    for (let seed = 0; seed < 40; seed++) {
      const growth = randomGrowth(seed);
      for (const module of ['q', 'o', 'fc1', 'fc2'].map(kind => `layers.1.${kind}`)) {
        const sizes = sizesOf(growth, module);
        for (const n of [1, 7, 60]) {
          const [form] = chooseForms(n, [sizes]) as [LinearForm];
          const weights = grownWeights(growth);
          const [y] = weights.linear(g.input('x', [n, sizes.in2]), [module]) as [g.Tensor];
          assert.deepEqual(y.shape, [n, sizes.out2]);
          const whole = (candidate: LinearForm): number =>
            formCost(candidate, n, sizes) + (narrowsInput(candidate) ? narrowing(n, sizes) : 0);
          const counted = g.countFlops([y]).matrix / 2 - common(growth, module, form);
          assert.equal(counted, whole(form), `seed ${seed}, ${module}, ${n} rows, ${form}`);
          const price = (candidate: LinearForm): number =>
            formPrice(candidate, n, sizes) +
            (narrowsInput(candidate) ? narrowingPrice(n, sizes) : 0);
          assert.equal(price(form), Math.min(...forms.map(price)));
          seen.add(form);
        }
      }
    }
    assert.deepEqual([...seen].sort(), [...forms].sort());
  });

  it('pays once for narrowing what queries, keys and values all read', () => {
    const sizesAt = (hiddenSize: number) => ({
      numHiddenLayers: 2,
      hiddenSize,
      numAttentionHeads: hiddenSize / 4,
      intermediateSize: 12,
    });
    const growth = tinyGrowth('gpt2', sizesAt(96), sizesAt(64));
    const modules = ['q', 'k', 'v'].map(kind => `layers.0.${kind}`);
    const sizes = sizesOf(growth, modules[0]!);
    const n = 50;
    const chosen = chooseForms(n, [sizes, sizes, sizes]);
    assert.ok(chosen.every(narrowsInput));
    const outputs = grownWeights(growth).linear(g.input('x', [n, sizes.in2]), modules);
    const expected = chosen.reduce(
      (sum, form, index) => sum + formCost(form, n, sizes) + common(growth, modules[index]!, form),
      narrowing(n, sizes),
    );
    assert.equal(g.countFlops(outputs).matrix / 2, expected);
  });

  it('shares the narrowing even where one module alone would not pay for it', () => {
    let shared = 0;
    const random = randomGenerator(1, 0x73686172);
    const size = (): number => 1 + random.integer(12);
    for (let draw = 0; draw < 300; draw++) {
      const [in1, n] = [size(), size()];
      const in2 = in1 + size();
      const modules = Array.from({ length: 3 }, () => {
        const out1 = size();
        return { in1, in2, out1, out2: out1 + random.integer(8) };
      });
      const total = (chosen: readonly LinearForm[]): number =>
        chosen.reduce((sum, form, i) => sum + formPrice(form, n, modules[i]!), 0) +
        (chosen.some(narrowsInput) ? narrowingPrice(n, modules[0]!) : 0);
      const best = Math.min(
        ...forms.flatMap(a => forms.flatMap(b => forms.map(c => total([a, b, c])))),
      );
      const chosen = chooseForms(n, modules);
      assert.equal(total(chosen), best, `draw ${draw}`);
      const alone = modules.flatMap(module => chooseForms(n, [module]));
      if (chosen.some(narrowsInput) && !alone.some(narrowsInput)) shared++;
    }
    assert.ok(shared > 0);
  });

  it('does nothing at all to a module that does not grow', () => {
    const growth = tinyGrowth('gpt2', {
      numHiddenLayers: 5,
      hiddenSize: 8,
      numAttentionHeads: 2,
      intermediateSize: 12,
    });
    const [y] = grownWeights(growth).linear(g.input('x', [9, 8]), ['layers.4.fc1']);
    const blending = 5 * 2 * 12 * (8 + 1);
    assert.equal(g.countFlops([y!]).matrix, 2 * (blending + 9 * 8 * 12));
  });
});
