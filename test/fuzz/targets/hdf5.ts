import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fixture } from '../../support/fixtures';
import { flipBytes, mutateBytes, type Draw } from '../mutate';
import { addressesIn, circular } from './hdf5Circles';
import { lookAtAll, type Targets } from './target';

const paths = ['hdf5/types.h5', 'hdf5/bert/tf_model.h5', 'hdf5/chunked.h5', 'hdf5/latest.h5'];

export const hdf5: Targets = {
  /** Files whose structures lead back to themselves or elsewhere, and files with some bytes changed. */
  hdf5: {
    prepare(folder) {
      const files = paths.map((path, index) => {
        const at = join(folder, String(index));
        cpSync(fixture(`formats/${dirname(path)}`), at, { recursive: true });
        const file = join(at, basename(path));
        const bytes = readFileSync(file);
        return { file, bytes, addresses: addressesIn(bytes) };
      });
      return Promise.resolve(async draw => {
        const { file, bytes, addresses } = draw.pick(files);
        writeFileSync(file, changed(bytes, addresses, draw));
        await lookAtAll(file);
      });
    },
  },
};

function changed(bytes: Buffer, addresses: ReturnType<typeof addressesIn>, draw: Draw): Buffer {
  if (draw.chance(0.5)) return circular(bytes, addresses, draw);
  return draw.chance(0.5) ? mutateBytes(bytes, draw) : flipBytes(bytes, draw);
}
