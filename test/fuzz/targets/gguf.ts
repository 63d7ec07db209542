import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listCheckpoint } from '../../../src/checkpoint/checkpoint';
import { inspect } from '../../../src/inspect/inspect';
import { fixture } from '../../support/fixtures';
import { mutateBytes, type Draw } from '../mutate';
import { ggufParts, joinGguf, mutateParts } from './ggufParts';
import { lookAtAll, type Targets } from './target';

/** Bytes changed without regard for what they mean, mostly in the header and without moving what follows. */
function mutateGguf(bytes: Buffer, draw: Draw): Buffer {
  if (draw.chance(0.3)) return mutateBytes(bytes, draw);
  const out = Buffer.from(bytes);
  for (let changes = 1 + draw.below(3); changes > 0; changes--) {
    const at = draw.below(draw.chance(0.7) ? Math.min(4096, out.length - 8) : out.length - 8);
    if (draw.chance(0.4)) out[at] = draw.below(256);
    else out.writeBigUInt64LE(draw.pick([0n, 1n, 255n, 2n ** 31n, 2n ** 40n, 2n ** 63n]), at);
  }
  return out;
}

/** Lists a file, reads some of its tensors and makes all that it tells of its model. */
async function readModel(folder: string, draw: Draw): Promise<void> {
  await inspect(folder);
  const checkpoint = await listCheckpoint(folder);
  try {
    const tensors = [...checkpoint.tensors.values()];
    if (tensors.length > 0) {
      const { name, shape } = draw.pick(tensors);
      const count = shape.reduce((product, length) => product * length, 1);
      await checkpoint.readRange(name, Math.floor(count / 3), Math.floor(count / 3));
      await checkpoint.readFloat32(name);
    }
    for (const make of checkpoint.companions.values()) JSON.parse(await make());
  } finally {
    await checkpoint.close();
  }
}

export const gguf: Targets = {
  /** Models whose entries and tensors are changed, each file whole again, or bytes of them. */
  gguf: {
    prepare(folder) {
      const source = fixture('formats/gguf');
      const files = readdirSync(source)
        .filter(name => name.endsWith('.gguf'))
        .sort()
        .map(name => ({ name, bytes: readFileSync(join(source, name)) }))
        .map(({ name, bytes }) => ({ name, bytes, parts: ggufParts(bytes) }));
      // The others end where their tokenizer would be made.
      const withTokens = files.filter(({ name }) => name.startsWith('tokens-'));
      const file = join(folder, 'model.gguf');
      return Promise.resolve(async draw => {
        const { bytes, parts } = draw.pick(draw.chance(0.6) ? withTokens : files);
        const changed = draw.chance(0.75)
          ? joinGguf(mutateParts(parts, draw))
          : mutateGguf(bytes, draw);
        writeFileSync(file, changed);
        await readModel(folder, draw);
      });
    },
  },
  /** A model in several files, one of which is changed or missing. */
  ggufParts: {
    prepare(folder) {
      const source = fixture('formats/gguf/split');
      const parts = readdirSync(source)
        .sort()
        .map(name => ({ file: join(folder, name), bytes: readFileSync(join(source, name)) }));
      return Promise.resolve(async draw => {
        const changed = draw.pick(parts);
        for (const { file, bytes } of parts) writeFileSync(file, bytes);
        if (draw.chance(0.1)) rmSync(changed.file);
        else if (draw.chance(0.4)) writeFileSync(changed.file, mutateGguf(changed.bytes, draw));
        else writeFileSync(changed.file, joinGguf(mutateParts(ggufParts(changed.bytes), draw)));
        await lookAtAll(folder);
      });
    },
  },
};
