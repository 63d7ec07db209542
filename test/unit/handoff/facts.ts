import type { HandoffFacts, ImageFacts, TextFacts } from '../../../src/handoff/facts';

const text = {
  kind: 'text',
  path: '/data/texts',
  heldOut: 'the last 10 of 100 bytes, from byte 90 on',
  heldOutBatch: 2,
  files: [
    { name: 'a.txt', bytes: 60, trainBytes: 60, records: false },
    { name: 'b.jsonl', bytes: 40, trainBytes: 30, records: true },
  ],
  sequenceLength: 4,
} as const;

export const causalText: TextFacts = {
  ...text,
  separator: [0],
  scored: [{ inputIds: [5, 6, 7, 8] }, { inputIds: [9, 10, 11, 12] }],
};

export const maskedText: TextFacts = {
  ...text,
  separator: 'newline',
  masked: {
    frame: [2, 3],
    mask: 4,
    special: [0, 1, 2, 3, 4],
    vocabulary: 96,
    share: 0.15,
    replacedByMask: 0.8,
    replacedAtRandom: 0.1,
  },
  scored: [
    { inputIds: [2, 4, 7, 3], labels: [-100, 6, -100, -100] },
    { inputIds: [2, 9, 10, 3], labels: [-100, -100, 10, -100] },
  ],
};

export const images: ImageFacts = {
  kind: 'images',
  path: '/data/images',
  heldOut: 'the folder val',
  heldOutBatch: 2,
  train: {
    images: [
      ['train/cat/1.png', 0],
      ['train/dog/1.png', 1],
    ],
  },
  scored: { images: [['val/cat/2.png', 0]] },
  channels: 3,
  resize: { shortestEdge: 32 },
  crop: { height: 28, width: 28 },
  resample: 2,
  rescaleFactor: 1 / 255,
  mean: [0.5],
  standardDeviation: [0.5],
};

/** What is known of a checkpoint of a hundred million parameters. */
export const facts = (changes: Partial<HandoffFacts>): HandoffFacts => ({
  to: 'torchrun',
  software: { name: 'ligo-grow', version: '0.0.0' },
  model: {
    path: '/models/grown',
    name: 'grown',
    modelClass: 'GPT2LMHeadModel',
    parameters: 100_000_000,
    companions: ['tokenizer.json'],
    expected: { loss: 3.5, from: 'growth.json' },
  },
  objective: 'causal language modeling',
  data: causalText,
  training: {
    steps: 1000,
    learningRate: 1e-3,
    warmup: 100,
    schedule: 'cosine',
    weightDecay: 0.01,
    betas: [0.9, 0.98],
    epsilon: 1e-6,
    clipNorm: 1,
    batch: 16,
    accumulate: 1,
    recompute: false,
    evaluateEvery: 100,
    seed: 0,
  },
  machines: { nodes: 1, gpus: 2, gpuBytes: 80e9 },
  slurm: {},
  notes: ['Something is not the same.'],
  ...changes,
});

/** A model that no single GPU of the usual size holds. */
export const large = (changes: Partial<HandoffFacts>): HandoffFacts =>
  facts({
    ...changes,
    model: { ...facts({}).model, parameters: 7_000_000_000 },
    machines: { nodes: 2, gpus: 8, gpuBytes: 80e9 },
  });
