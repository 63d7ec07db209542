import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixture } from '../../support/fixtures';
import {
  archive,
  deflated,
  oldFile,
  pickle,
  zip,
  type Member,
} from '../../unit/checkpoint/formats/pytorch/build';
import { mutateBytes, type Draw } from '../mutate';
import { hostileValue } from './hostilePickle';
import { lookAtAll, type Targets } from './target';

/** A file of torch with a few places changed: anywhere, or only in its pickle, which begins it. */
function mutateTorch(bytes: Buffer, draw: Draw): Buffer {
  if (draw.chance(0.3)) return mutateBytes(bytes, draw);
  const found = bytes.indexOf('.PK');
  const end = found < 0 ? bytes.length : found + 1;
  const at = 40 + draw.below(end - 40);
  const out = Buffer.from(bytes);
  for (let changes = 1 + draw.below(6); changes > 0; changes--) {
    out[Math.min(out.length - 1, at + draw.below(12))] = draw.chance(0.5)
      ? draw.below(256)
      : draw.pick(pickleBytes);
  }
  return out;
}

/** Opcodes and lengths of pickles. */
const pickleBytes = [
  ...Buffer.from(
    '(.0123)}]RQbtuaesdlKMJXGNhqrjgpcio\x80\x81\x85\x86\x87\x88\x8a\x8b\x93\x94\xff',
    'latin1',
  ),
];

/** What programs in pickles would make, in the folder that this process runs in. */
const marker = 'ligo-fuzz-ran';

const values = Buffer.from(Float32Array.from([1, 2, 3, 4, 5, 6]).buffer);

/** A file in a deflated archive that is what it says, or claims another size or sum, or much. */
function hostileMember(member: Member, draw: Draw): Member {
  const claims = [0, 1, 23, 25, 1e6, 2 ** 31, 2 ** 32 - 1];
  switch (draw.below(6)) {
    case 0:
      return deflated(member, { inflated: draw.pick(claims) });
    case 1:
      return deflated(member, { crc: draw.below(2 ** 32) });
    case 2: {
      // Some kilobytes that inflate to megabytes, with a size that is so or not.
      const bytes = Buffer.alloc(draw.pick([1e5, 1e6, 4e6]), draw.below(256));
      return deflated(
        { ...member, bytes },
        draw.chance(0.5) ? { inflated: draw.pick(claims) } : {},
      );
    }
    case 3:
      return { ...member, method: draw.pick([0, 8, 12, 14]), stated: { inflated: 24 } };
    case 4:
      return { ...deflated(member), bytes: mutateBytes(deflated(member).bytes, draw) };
    default:
      return deflated(member);
  }
}

/** A file around a value, in either form and either packing. */
function fileOf(value: string, draw: Draw): Buffer {
  switch (draw.below(4)) {
    case 0:
      return oldFile(value, [['0', [1, 2, 3, 4, 5, 6]]]);
    case 1: {
      const parts = [
        { name: 'a/data.pkl', bytes: pickle(value) },
        { name: 'a/data/0', bytes: values },
      ];
      const changed = draw.below(3);
      return zip(
        parts.map((part, i) => (i === changed ? hostileMember(part, draw) : deflated(part))),
      );
    }
    default:
      return archive(pickle(value), { 0: values });
  }
}

const harmless = `}(X\x01\x00\x00\x00wNu`;

export const pytorch: Targets = {
  /** Files of torch.save, changed by chance. */
  pytorch: {
    prepare(folder) {
      const at = fixture('formats/pytorch');
      const names = readdirSync(at, { recursive: true, encoding: 'utf8' })
        .filter(name => /\.(pt|pth|ckpt|bin|tar)$/.test(name))
        .sort();
      const sources = names.map(name => readFileSync(join(at, name)));
      const file = join(folder, 'pytorch_model.bin');
      const before = readdirSync(folder);
      return Promise.resolve(async draw => {
        const bytes = draw.chance(0.4)
          ? mutateTorch(draw.pick(sources), draw)
          : fileOf(draw.chance(0.05) ? harmless : hostileValue(marker, draw), draw);
        writeFileSync(file, draw.chance(0.1) ? mutateBytes(bytes, draw) : bytes);
        try {
          await lookAtAll(file);
        } finally {
          requireNothingRun(folder, [...before, 'pytorch_model.bin']);
        }
      });
    },
  },
};

/** @throws Error when reading has run a program, or written a file */
function requireNothingRun(folder: string, expected: readonly string[]): void {
  if (existsSync(marker)) {
    rmSync(marker, { recursive: true });
    throw new Error(`a program in a pickle was run: it made ${marker}`);
  }
  const more = readdirSync(folder).filter(name => !expected.includes(name));
  if (more.length > 0) throw new Error(`reading wrote ${more.join()}`);
}
