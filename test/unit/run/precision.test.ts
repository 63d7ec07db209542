import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { onnxRuntimeCpu } from '../../../src/engine';
import { openNamed } from '../../../src/engine/openers';
import { UnsupportedError } from '../../../src/errors';
import { grow } from '../../../src/run/grow/grow';
import { example } from '../../support/fixtures';
import { failure } from '../../support/userError';
import { bible, recorded, shortSettings, temporaryFolder } from './support';

describe('growing in mixed precision', () => {
  // The CPU has no float16 products: its runtime takes the casts out, so both losses are the same.
  it('measures the result in float32 as well, and shows both', async () => {
    const { context, events } = recorded();
    const out = join(temporaryFolder(), 'grown');
    const engine = async () => ({
      ...(await context.engine()),
      engine: onnxRuntimeCpu({ threads: 2, precision: 'mixed' }),
    });
    const receipt = await grow(
      { ...context, engine },
      {
        checkpoint: example('gpt2-kjv'),
        target: { layers: 4 },
        method: 'ligo',
        settings: shortSettings(2),
        data: bible,
        seed: 0,
        out,
      },
    );
    assert.equal(receipt.engine!.precision, 'mixed');
    assert.deepEqual(receipt.losses!.float32, receipt.losses!.after);
    const evaluated = events.flatMap(event =>
      event.type === 'evaluation' ? [`${event.model} ${event.step}`] : [],
    );
    assert.deepEqual(evaluated, ['small 0', 'before 0', 'after 2', 'float32 2']);
    assert.match(readFileSync(join(out, 'README.md'), 'utf8'), /\| grown, in float32 \|/);
  });

  it('is refused by engines that have no float16', async () => {
    const options = { threads: 1, device: 'CPU', folder: '', precision: 'mixed' } as const;
    await failure(
      openNamed('cpu', options),
      UnsupportedError,
      /cpu engine computes in float32 only/,
    );
  });
});
