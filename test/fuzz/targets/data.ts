import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { batchShape, openData } from '../../../src/run/open/data';
import { openModel } from '../../../src/run/open/model';
import { example } from '../../support/fixtures';
import { hostileJson, mutateBytes } from '../mutate';
import type { Targets } from './target';

/** Opens data as training does, and reads a batch. */
async function readBatch(checkpoint: string, data: string): Promise<void> {
  const model = await openModel(checkpoint);
  try {
    const options = { data, batchSize: 2, sequenceLength: 8, evaluationBatches: 1, seed: 0 };
    batchShape(model.architecture, options);
    const opened = await openData(model.architecture, checkpoint, options);
    try {
      await opened.batches.train(0);
    } finally {
      await opened.batches.close();
    }
  } finally {
    await model.checkpoint.close();
  }
}

/** Text and images that a model learns from. */
export const data: Targets = {
  idx: {
    async prepare(folder) {
      const source = example('fashion-mnist');
      const names = readdirSync(source).filter(name => /ubyte/.test(name));
      const files = names.map(name => {
        const whole = name.endsWith('.gz')
          ? gunzipSync(readFileSync(join(source, name)))
          : readFileSync(join(source, name));
        const images = 50;
        const bytes = Buffer.from(
          whole.subarray(0, whole[3] === 3 ? 16 + 784 * images : 8 + images),
        );
        bytes.writeUInt32BE(images, 4);
        return { name: name.replace(/\.gz$/, ''), bytes };
      });
      for (const { name, bytes } of files) writeFileSync(join(folder, name), bytes);
      return async draw => {
        const { name, bytes } = draw.pick(files);
        const head = draw.chance(0.1)
          ? bytes.subarray(0, 16)
          : mutateBytes(bytes.subarray(0, 16), draw);
        writeFileSync(join(folder, name), Buffer.concat([head, bytes.subarray(16)]));
        try {
          await readBatch(example('vit-fmnist'), folder);
        } finally {
          writeFileSync(join(folder, name), bytes);
        }
      };
    },
  },
  images: {
    async prepare(folder) {
      const { default: sharp } = await import('sharp');
      const pixels = sharp({ create: { width: 28, height: 28, channels: 3, background: '#963' } });
      const formats = ['png', 'jpeg', 'webp'] as const;
      const files = await Promise.all(
        formats.map(async format => ({
          name: `a.${format}`,
          bytes: await pixels.clone().toFormat(format).toBuffer(),
        })),
      );
      // Folders may be called by the numbers of their classes.
      for (let label = 0; label < 10; label++) {
        const of = join(folder, String(label));
        mkdirSync(of);
        for (let i = 0; i < 4; i++) writeFileSync(join(of, `${i}.png`), files[0]!.bytes);
      }
      return async draw => {
        const { name, bytes } = draw.pick(files);
        const path = join(folder, '1', name);
        writeFileSync(path, draw.chance(0.1) ? bytes : mutateBytes(bytes, draw));
        try {
          await readBatch(example('vit-fmnist'), folder);
        } finally {
          rmSync(path);
        }
      };
    },
  },
  jsonl: {
    async prepare(folder) {
      const file = join(folder, 'data.txt');
      const records = Array.from({ length: 60 }, (_, id) => ({
        id,
        text: `In the beginning ${id} was the word.`,
      }));
      return async draw => {
        const lines = records.map(record =>
          draw.chance(0.02) ? hostileJson(record, draw) : Buffer.from(JSON.stringify(record)),
        );
        const text = Buffer.concat(lines.flatMap(line => [line, Buffer.from('\n')]));
        writeFileSync(file, draw.chance(0.3) ? mutateBytes(text, draw) : text);
        await readBatch(example('gpt2-kjv'), file);
      };
    },
  },
};
