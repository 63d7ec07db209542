import type { HandoffFacts } from './facts';

/** Versions that the written projects were run with. */
const versions = {
  accelerate: '1.15.0',
  numpy: '2.4.6',
  pillow: '12.3.0',
  safetensors: '0.8.0',
  tokenizers: '0.23.2',
  torch: '2.13.0',
  transformers: '5.18.0',
} as const;

/** Which packages a kind of data needs beside those that every training does. */
const ofData = { text: ['tokenizers'], images: ['pillow'] } as const;

/** `requirements.txt`. */
export const requirementsText = ({ data }: Pick<HandoffFacts, 'data'>): string =>
  (['torch', 'transformers', 'accelerate', 'safetensors', 'numpy', ...ofData[data.kind]] as const)
    .map(name => `${name}==${versions[name]}\n`)
    .join('');

/** The image of PyTorch that goes with them, for Kubernetes. */
export const torchImage = `pytorch/pytorch:${versions.torch}-cuda13.0-cudnn9-runtime`;
