import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { compare } from '../../../src/run/compare/compare';
import { grow, type GrowRequest } from '../../../src/run/grow/grow';
import { train } from '../../../src/run/train/train';
import { defaultTrainSettings, ligoSettings } from '../../../src/run/settings';
import { UserError } from '../../../src/errors';
import { openEngine } from '../../../src/engine';
import { requireMemory } from '../../../src/run/plan/memoryRefusal';
import { commandLine } from '../../../src/remedy/commandLine';
import { editor } from '../../../src/remedy/editor';
import { inWords } from '../../../src/remedy/remedy';
import { example } from '../../support/fixtures';
import { bible, recorded, shortSettings, temporaryFolder } from './support';

/** A short growth of the GPT-2 example, changed. */
function growing(changes: Partial<GrowRequest>, context = recorded().context): Promise<unknown> {
  return grow(context, {
    checkpoint: example('gpt2-kjv'),
    target: { layers: 4, hidden: 80 },
    method: 'ligo',
    data: bible,
    settings: shortSettings(2),
    seed: 0,
    out: join(temporaryFolder(), 'out'),
    ...changes,
  });
}

const training = (changes: Partial<typeof defaultTrainSettings>): Promise<unknown> =>
  train(recorded().context, {
    checkpoint: example('gpt2-kjv'),
    data: bible,
    settings: { ...defaultTrainSettings, steps: 2, warmup: 1, ...changes },
    seed: 0,
    out: join(temporaryFolder(), 'out'),
  });

/** A text of a few sequences. */
function shortText(): string {
  const path = join(temporaryFolder(), 'short.txt');
  writeFileSync(path, 'In the beginning God created the heaven and the earth.\n'.repeat(40));
  return path;
}

/** What each refusal says there and here. */
const refusals: readonly (readonly [
  what: string,
  job: () => Promise<unknown>,
  onCommandLine: string,
  inEditor: string,
])[] = [
  [
    'nothing would grow',
    () => growing({ target: { layers: 3, hidden: 64 } }),
    'Ask for more layers (--layers), more hidden units (--hidden) or both.',
    'Ask for more layers, more hidden units or both.',
  ],
  [
    'llama-pro would widen',
    () => growing({ method: 'llama-pro' }),
    'Ask for more layers (--layers) alone, or give --method lemon or net2net.',
    'Ask for more layers alone, or choose the method lemon or net2net.',
  ],
  ['data is missing', () => growing({ data: undefined }), 'Give --data.', 'Choose data.'],
  [
    'sequences are longer than the model has positions',
    () => growing({ data: { ...bible, sequenceLength: 4096 } }),
    'Use sequences of at most 128 tokens (--sequence-length 128).',
    'Use sequences of at most 128 tokens (Sequence Length… in the plan).',
  ],
  [
    'a text is of few sequences',
    () => growing({ data: { ...bible, data: shortText(), sequenceLength: 128 } }),
    'Give more text, a smaller --sequence-length, or a separate text to evaluate on (--eval-data).',
    'Give more text, shorter sequences, or a separate text to evaluate on (the option eval-data on the command line).',
  ],
  [
    'something lies where the output goes',
    () => {
      const out = join(temporaryFolder(), 'out');
      mkdirSync(out);
      writeFileSync(join(out, 'mine.txt'), 'mine');
      return growing({ out });
    },
    'Pass --overwrite to replace it, or choose another output folder.',
    'Choose another output folder.',
  ],
  [
    'there is nothing to resume',
    () => growing({ resume: true }),
    'Start the run anew without --resume.',
    'Start the run anew.',
  ],
  [
    'a method without steps is to save on the way',
    () => growing({ method: 'stack', saveEvery: 2 }),
    'Leave --save-every out.',
    'Leave the option save-every out.',
  ],
  [
    'a method has no feed-forward operators to share',
    () => Promise.resolve().then(() => ligoSettings('mango', { steps: 2, shareFfn: true })),
    'Leave --share-ffn out, or give --method ligo.',
    'Under More…, set Share Feed-Forward Operators to off, or choose the method ligo.',
  ],
  [
    'it was stopped before its first step',
    () => {
      const { context } = recorded((event, stop) => event.type === 'plan' && stop());
      return growing({}, context);
    },
    'Run the same command again.',
    'Start the run again.',
  ],
  [
    'it was stopped between steps',
    () => {
      const { context } = recorded((event, stop) => event.type === 'step' && stop());
      return growing({}, context);
    },
    'Run the same command with --resume to go on.',
    'Resume the run to go on.',
  ],
  [
    'too little memory is free',
    () => Promise.resolve().then(() => requireMemory(2e9, { bytes: 1e9, of: 'main memory' })),
    'Lower --batch or --sequence-length, choose a smaller target, or close what else uses that memory.',
    'Lower the batch or the length of sequences, choose a smaller target, or close what else uses that memory.',
  ],
  [
    'the engine computes in float32 only',
    () => openEngine({ engine: 'cpu', precision: 'mixed' }),
    'Give --precision float32, or give --engine webgpu or cuda.',
    'Under More…, set Mixed Precision to off, or set ligo.engine to webgpu or cuda.',
  ],
  [
    'tokens would be dropped that are no share',
    () => training({ tokenDrop: 2 }),
    'Give a share such as 0.15 (--token-drop).',
    'Give a share such as 0.15 (the option token-drop on the command line).',
  ],
  [
    'a comparison would never be evaluated',
    () =>
      compare(recorded().context, {
        checkpoint: example('gpt2-kjv'),
        target: { layers: 4, hidden: 80 },
        methods: ['stack'],
        seeds: [0],
        data: bible,
        training: { ...defaultTrainSettings, steps: 2, warmup: 1 },
        growthSteps: 2,
        evaluateEvery: 3,
        out: join(temporaryFolder(), 'out'),
      }),
    'Evaluate more often (--evaluate-every), or train for more steps (--steps).',
    'Evaluate more often (the option evaluate-every on the command line), or train for more steps.',
  ],
];

describe('what a person can do', () => {
  for (const [what, job, onCommandLine, inEditor] of refusals) {
    it(`is said in both faces where ${what}`, async () => {
      const error = await job().then(
        () => assert.fail('nothing was refused'),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof UserError, String(error));
      assert.equal(inWords(error.remedy, commandLine), onCommandLine);
      assert.equal(inWords(error.remedy, editor), inEditor);
      assert.doesNotMatch(error.message, /--[a-z]|ligo doctor/);
    });
  }
});
