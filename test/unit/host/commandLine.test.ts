import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  growCommandLine,
  handoffCommandLine,
  shellArgument,
  trainCommandLine,
} from '../../../src/host/wizard/commandLine';
import type { HandoffQuestion } from '../../../src/protocol/handoff';
import type { GrowthRequest, TrainingRequest } from '../../../src/protocol/runFolder';

const request: GrowthRequest = {
  ...{ version: 1, id: 'a', title: 't', created: 0, kind: 'grow', engine: 'auto' },
  ...{ checkpoint: '/models/my bert', target: { layers: 6, hidden: 96, ffn: 400 } },
  ...{ out: "/out/it's", resume: false, overwrite: false, method: 'ligo', steps: 50, seed: 3 },
  ...{ data: { path: '/data/a.txt', batchSize: 8, sequenceLength: 64 }, recompute: true },
};

test('a growth is told as the command that makes it, in the words of a POSIX shell', () => {
  assert.equal(
    growCommandLine(request, 'linux'),
    "ligo grow '/models/my bert' --layers 6 --hidden 96 --ffn 400 --method ligo --data /data/a.txt" +
      " --batch 8 --sequence-length 64 --steps 50 --recompute --seed 3 --engine auto --out '/out/it'\\''s'",
  );
});

test('a growth without data is told without steps', () => {
  const bare = { ...request, method: 'net2net' } as { data?: object } & typeof request;
  delete (bare as { data?: object }).data;
  assert.doesNotMatch(growCommandLine(bare, 'linux'), /--steps|--data|--batch/);
});

test('a training is told as the command that makes it, with what a person changed', () => {
  const training: TrainingRequest = {
    ...{ version: 1, id: 'a', title: 't', created: 0, kind: 'train', engine: 'cpu' },
    ...{ checkpoint: '/models/bert', out: '/out', resume: false, overwrite: false, seed: 3 },
    ...{ data: { path: '/data/a.txt', batchSize: 8, sequenceLength: 64 }, steps: 50 },
    ...{ learningRate: 6e-4, schedule: 'linear', warmup: 0, weightDecay: 0, evaluateEvery: 10 },
    ...{ tokenDrop: 0.25, layerDrop: 0.1, subNetworkSteps: 9, subNetworkLayers: 1 },
    ...{ accumulate: 2, recompute: true, fromScratch: true, precision: 'mixed', threads: 2 },
  };
  assert.equal(
    trainCommandLine(training, 'linux'),
    'ligo train /models/bert --data /data/a.txt --batch 8 --sequence-length 64 --steps 50' +
      ' --learning-rate 0.0006 --schedule linear --warmup 0 --weight-decay 0 --evaluate-every 10' +
      ' --accumulate 2 --recompute --token-drop 0.25 --layer-drop 0.1 --sub-network-steps 9' +
      ' --sub-network-layers 1 --from-scratch --precision mixed --seed 3 --engine cpu --threads 2 --out /out',
  );
  assert.doesNotMatch(trainCommandLine({ ...training, evaluateEvery: 0 }, 'linux'), /evaluate/);
});

test('a project for PyTorch is told as the command that writes it, without what its receipt says', () => {
  const question: HandoffQuestion = {
    ...{ checkpoint: '/models/bert', to: 'slurm', out: '/out', data: { path: '/data/a.txt' } },
    ...{ machines: { nodes: 2, gpus: 8, gpuBytes: 40e9 }, slurm: { partition: 'gpu' } },
  };
  assert.equal(
    handoffCommandLine(question, 'linux'),
    'ligo handoff /models/bert --to slurm --data /data/a.txt --gpus 8 --nodes 2 --gpu-memory 40GB' +
      ' --partition gpu --out /out',
  );
  const data = { path: '/data/a.txt', separator: 'eos' } as const;
  const said: HandoffQuestion = { ...question, data, steps: 9 };
  assert.match(handoffCommandLine(said, 'linux'), /--line-separator eos --steps 9 --gpus/);
});

test('paths of Windows stay as they are, in double quotes where they must', () => {
  assert.equal(shellArgument('C:\\models\\bert', 'win32'), 'C:\\models\\bert');
  assert.equal(shellArgument('C:\\my models', 'win32'), '"C:\\my models"');
  assert.equal(shellArgument('$(reboot)', 'linux'), "'$(reboot)'");
  assert.equal(shellArgument('a\\b', 'linux'), "'a\\b'");
});
