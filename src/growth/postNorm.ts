import type { Architecture } from '../architecture';

/** True for models whose layers normalise sums (BERT), not what branches read (GPT-2, ViT). */
export const isPostNorm = ({ parameters }: Architecture): boolean =>
  !parameters.some(({ id }) => id === 'final.norm.weight');
