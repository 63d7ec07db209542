import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TrainingReceipt } from '../../../src/run/write/trainingReceipt';
import { example } from '../../support/fixtures';
import { entries, temporaryFolder } from '../run/support';
import { cli, type Outcome } from './support';

const quick = [
  ...['--data', example('kjv.txt'), '--batch', '4', '--sequence-length', '16'],
  ...['--eval-batches', '1', '--line-separator', 'newline', '--engine', 'cpu', '--steps', '4'],
];

/** `ligo train` of the GPT-2 example into a folder that is not there yet. */
async function trainInto(folder: string, ...options: string[]): Promise<Outcome> {
  return cli('train', example('gpt2-kjv'), ...quick, ...options, '--out', join(folder, 'out'));
}

describe('ligo train that leaves out a part of the computing', () => {
  it('hands its options on, and the receipt tells what was left out', async () => {
    const folder = temporaryFolder();
    const options = ['--token-drop', '0.25', '--layer-drop', '0.5', '--sub-network-steps', '2'];
    const { code, stderr } = await trainInto(folder, ...options, '--sub-network-layers', '1');
    assert.equal(code, 0, stderr);
    const receipt = JSON.parse(
      readFileSync(join(folder, 'out', 'training.json'), 'utf8'),
    ) as TrainingReceipt;
    const { tokenDrop, layerDrop, subNetwork } = receipt.settings;
    assert.deepEqual(
      { tokenDrop, layerDrop, subNetwork },
      {
        tokenDrop: 0.25,
        layerDrop: 0.5,
        subNetwork: { steps: 2, layers: 1 },
      },
    );
    assert.deepEqual(
      receipt.stages?.map(({ begin, layers, droppedTokens }) => [begin, layers, droppedTokens]),
      [
        [0, 1, 0],
        [1, 1, 0],
        [2, 3, 4],
      ],
    );
  });

  it('leaves nothing out, and says nothing of it, unless it is asked to', async () => {
    const folder = temporaryFolder();
    assert.equal((await trainInto(folder)).code, 0);
    const receipt = readFileSync(join(folder, 'out', 'training.json'), 'utf8');
    assert.doesNotMatch(receipt, /stages|tokenDrop|layerDrop|subNetwork/);
  });

  const refusals: readonly { args: string[]; says: RegExp }[] = [
    { args: ['--token-drop', '1'], says: /--token-drop is "1", not a share above 0 and below 1/ },
    { args: ['--token-drop', 'half'], says: /--token-drop is "half"/ },
    { args: ['--layer-drop', '0'], says: /--layer-drop is "0"/ },
    { args: ['--sub-network-steps', '0'], says: /--sub-network-steps is "0"/ },
    { args: ['--sub-network-steps', '4'], says: /trained for 4 of 4 steps, which leaves none/ },
    { args: ['--sub-network-layers', '1'], says: /Give --sub-network-steps too/ },
    { args: ['--layer-drop', '0.01'], says: /leaves out no layer for any of 4 sequences/ },
  ];
  for (const { args, says } of refusals) {
    it(`refuses ${args.join(' ')} as wrong usage and writes nothing`, async () => {
      const folder = temporaryFolder();
      const { code, stderr } = await trainInto(folder, ...args);
      assert.match(stderr, says);
      assert.equal(code, 2);
      assert.deepEqual(entries(folder), []);
    });
  }
});
