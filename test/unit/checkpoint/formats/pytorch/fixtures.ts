import { fileURLToPath } from 'node:url';

/** Absolute path of a file that torch.save wrote. */
export const torchFile = (name: string): string =>
  fileURLToPath(new URL(`../../../../fixtures/formats/pytorch/${name}`, import.meta.url));
