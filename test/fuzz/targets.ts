import { openCheckpoint } from '../../src/checkpoint/checkpoint';
import { fixture } from '../support/fixtures';
import { checkpoints } from './targets/checkpoints';
import { data } from './targets/data';
import { gguf } from './targets/gguf';
import { hdf5 } from './targets/hdf5';
import { models } from './targets/models';
import { pytorch } from './targets/pytorch';
import { runs } from './targets/runs';
import { families, type Targets } from './targets/target';

/** All that can be fuzzed; a file for each room of readers. */
export const targets: Targets = {
  ...checkpoints,
  ...pytorch,
  ...gguf,
  ...hdf5,
  ...models,
  ...runs,
  ...data,
};

/** Every input of a model is written by what reads it back: the fixtures must be whole. */
export async function selfCheck(): Promise<void> {
  for (const name of families) await (await openCheckpoint(fixture(`hf/${name}`))).close();
}
