import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import sharp from 'sharp';
import {
  openImageBatches,
  type ImageBatchOptions,
  type ImageBatchSource,
} from '../../../src/data/imageBatches';
import {
  loadPreprocessor,
  parsePreprocessor,
  type PreprocessorConfig,
} from '../../../src/data/preprocessor';
import { CorruptFileError, UnsupportedError, UsageError, UserError } from '../../../src/errors';
import { examples, temporaryFolder } from './temporary';
import { remedyText } from '../../support/remedyText';

const fashion = join(examples, 'fashion-mnist');
const config = JSON.parse(readFileSync(join(examples, 'vit-fmnist/config.json'), 'utf8')) as {
  id2label: Record<string, string>;
};
const labels = Object.values(config.id2label);
const unpacked = (name: string): Buffer => gunzipSync(readFileSync(join(fashion, name)));

/** No step but the decoding, so that values are bytes. */
const plain = parsePreprocessor(
  { do_resize: false, do_rescale: false, do_normalize: false },
  'preprocessor_config.json',
);

/** An image of one colour, as a file. */
const coloured = (
  [r, g, b]: readonly [number, number, number],
  format: 'png' | 'jpeg' | 'webp' = 'png',
  side = 8,
): Promise<Buffer> =>
  sharp({ create: { width: side, height: side, channels: 3, background: { r, g, b } } })
    .toFormat(format, format === 'webp' ? { lossless: true } : {})
    .toBuffer();

/** What is said of a source, but for the small number of its held-out images. */
const notesOf = ({ notes }: ImageBatchSource): string[] =>
  notes.map(({ message }) => message).filter(message => !message.includes('held out, so accuracy'));
const said = (source: ImageBatchSource): string => notesOf(source).join('\n');

const open = (path: string, options: Partial<ImageBatchOptions> = {}) =>
  openImageBatches({
    path,
    preprocessor: plain,
    numChannels: 3,
    imageSize: 8,
    batchSize: 4,
    seed: 0,
    ...options,
  });

describe('batches of MNIST files', () => {
  let preprocessor: PreprocessorConfig;
  let options: Partial<ImageBatchOptions>;
  before(async () => {
    ({ preprocessor } = await loadPreprocessor(join(examples, 'vit-fmnist')));
    options = { preprocessor, numChannels: 1, imageSize: 28, batchSize: 64, labels };
  });

  it('are the images of the files, normalised, with their labels', async () => {
    const source = await open(fashion, options);
    assert.equal(source.trainImages, 10_000);
    assert.equal(source.heldOutImages, 2000);
    assert.equal(source.unit, 'images');
    assert.equal(source.itemsPerBatch, 64);
    assert.deepEqual(source.classes, labels);
    assert.equal(source.description.heldOut, 'the t10k files');
    assert.equal(source.description.files.length, 4);
    const every = await open(fashion, { ...options, batchSize: 100, evaluationBatches: 20 });
    const pixels = unpacked('t10k-images-idx3-ubyte.gz').subarray(16);
    const targets = unpacked('t10k-labels-idx1-ubyte.gz').subarray(8);
    for (let index = 0; index < 20; index++) {
      const batch = await every.evaluate(index);
      assert.deepEqual(
        [...batch['targets']!],
        [...targets.subarray(index * 100, index * 100 + 100)],
      );
      const values = batch['pixel_values']!;
      assert.equal(values.length, 100 * 784);
      const at = index * 100 * 784;
      for (let pixel = 0; pixel < values.length; pixel += 97) {
        const expected = (pixels[at + pixel]! / 255 - 0.286) / 0.353;
        assert.ok(Math.abs(values[pixel]! - expected) < 1e-6);
      }
      assert.ok([...batch['weights']!].every(weight => weight === Math.fround(1 / 100)));
    }
  });

  it('show every image once an epoch, each epoch in another order', async () => {
    const source = await open(fashion, { ...options, batchSize: 100 });
    const counts = Array.from({ length: 10 }, () => 0);
    const first: number[] = [];
    const second: number[] = [];
    for (let step = 0; step < 100; step++) {
      for (const target of (await source.train(step))['targets']!) {
        counts[target]! += 1;
        first.push(target);
      }
      second.push(...(await source.train(100 + step))['targets']!);
    }
    const expected = Array.from({ length: 10 }, () => 0);
    for (const label of unpacked('train-labels-idx1-ubyte.gz').subarray(8)) expected[label]! += 1;
    assert.deepEqual(counts, expected);
    assert.notDeepEqual(first, second);
    assert.deepEqual([...first].sort(), [...second].sort());
  });

  it('are pure functions of seed and step, also where an epoch ends within a batch', async () => {
    const one = await open(fashion, { ...options, batchSize: 48 });
    const two = await open(fashion, { ...options, batchSize: 48 });
    const steps = [0, 207, 208, 209, 1_000_000];
    const batches = [];
    for (const step of steps) batches.push(await one.train(step));
    assert.deepEqual(
      await Promise.all([...steps].reverse().map(step => two.train(step))),
      batches.reverse(),
    );
    const other = await open(fashion, { ...options, batchSize: 48, seed: 1 });
    assert.notDeepEqual(await other.train(0), await one.train(0));
    assert.deepEqual(await other.evaluate(1), await one.evaluate(1));
    await assert.rejects(async () => one.evaluate(one.evaluationBatches), RangeError);
  });

  it('hold a share out where there are no t10k files, the same for every seed', async () => {
    const folder = temporaryFolder();
    for (const kind of ['images-idx3', 'labels-idx1']) {
      copyFileSync(join(fashion, `train-${kind}-ubyte.gz`), join(folder, `train-${kind}-ubyte.gz`));
    }
    const source = await open(folder, { ...options, heldOutFraction: 0.1, evaluationBatches: 2 });
    assert.deepEqual([source.trainImages, source.heldOutImages], [9000, 1000]);
    const other = await open(folder, {
      ...options,
      heldOutFraction: 0.1,
      evaluationBatches: 2,
      seed: 9,
    });
    assert.deepEqual(await other.evaluate(1), await source.evaluate(1));
    assert.match(source.description.heldOut, /^1000 of 10000 images/);
  });

  it('grow to the size of the model and to three channels', async () => {
    const resize = parsePreprocessor({}, 'none');
    const source = await open(fashion, { preprocessor: resize, imageSize: 32, batchSize: 2 });
    const values = (await source.train(0))['pixel_values']!;
    assert.equal(values.length, 2 * 3 * 32 * 32);
    assert.deepEqual(values.slice(0, 1024), values.slice(1024, 2048));
    assert.deepEqual(source.classes, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  it('take plain files too, and refuse labels that do not fit', async () => {
    const images = unpacked('t10k-images-idx3-ubyte.gz');
    const numbers = unpacked('t10k-labels-idx1-ubyte.gz');
    const folder = temporaryFolder({
      'train-images.idx3-ubyte': images,
      'train-labels.idx1-ubyte': numbers,
    });
    assert.equal((await open(folder, options)).trainImages, 1900);
    await assert.rejects(open(folder, { ...options, labels: ['a', 'b'] }), {
      name: 'UserError',
      message: /labels up to 9, but the model has 2 classes/,
    });
    const short = Buffer.from(numbers.subarray(0, 1008));
    short.writeUInt32BE(1000, 4);
    writeFileSync(join(folder, 'train-labels.idx1-ubyte'), short);
    await assert.rejects(open(folder, options), {
      name: 'CorruptFileError',
      message: /1,000 labels for the 2,000 images/,
    });
    const lonely = temporaryFolder({ 'train-images-idx3-ubyte': images });
    await assert.rejects(open(lonely, options), { name: 'UserError', message: /no labels/ });
  });
});

describe('batches of class folders', () => {
  let red: Buffer;
  let green: Buffer;
  let blue: Buffer;
  before(async () => {
    red = await coloured([200, 10, 20]);
    green = await coloured([10, 200, 20], 'webp');
    blue = await coloured([10, 20, 200], 'jpeg');
  });

  /** Class of a plain-coloured image by its brightest channel. */
  const brightest = (values: Float32Array | Int32Array, row: number): number => {
    const means = [0, 1, 2].map(channel => values[(row * 3 + channel) * 64]!);
    return means.indexOf(Math.max(...means));
  };

  it('are decoded from png, webp and jpeg, their class by the name of the folder', async () => {
    const folder = temporaryFolder({
      'blue/b.jpg': blue,
      'green/deep/er/g.webp': green,
      'green/g2.WEBP': green,
      'red/r.png': red,
      'red/r2.png': red,
      'red/notes.txt': 'left out',
    });
    const source = await open(folder, {
      labels: ['Red', 'green', 'BLUE'],
      heldOutFraction: 0.2,
      evaluationBatches: 1,
    });
    assert.deepEqual([source.trainImages, source.heldOutImages], [4, 1]);
    assert.match(said(source), /1 × \.txt \(red\/notes\.txt\)/);
    assert.ok(source.description.files.some(({ name }) => name === 'green/deep/er/g.webp'));
    const seen = new Set<number>();
    for (const batch of [await source.train(0), await source.train(1), await source.evaluate(0)]) {
      batch['targets']!.forEach((target, row) => {
        seen.add(target);
        assert.equal(brightest(batch['pixel_values']!, row), target);
      });
    }
    assert.equal(seen.size, 3);
  });

  it('train on none of the held-out images', async () => {
    const files: Record<string, Buffer> = {};
    for (let index = 0; index < 40; index++) {
      files[`class${index % 2}/${index}.png`] = await coloured([index * 6, 0, 0], 'png', 2);
    }
    const source = await open(temporaryFolder(files), {
      imageSize: 2,
      batchSize: 8,
      heldOutFraction: 0.2,
      evaluationBatches: 1,
    });
    const reds = (batch: Readonly<Record<string, ArrayLike<number>>>): number[] =>
      Array.from({ length: 8 }, (_, row) => batch['pixel_values']![row * 12]!);
    const heldOut = reds(await source.evaluate(0));
    const trained = new Set<number>();
    for (let step = 0; step < 4; step++)
      for (const value of reds(await source.train(step))) trained.add(value);
    assert.equal(new Set(heldOut).size, 8);
    assert.equal(trained.size, 32);
    assert.ok(heldOut.every(value => !trained.has(value)));
  });

  it('take a folder validation beside train, or a separate folder', async () => {
    const folder = temporaryFolder({
      'train/a/1.png': red,
      'train/b/1.png': green,
      'validation/b/1.png': green,
      'other/a/1.png': blue,
    });
    const source = await open(folder);
    assert.deepEqual([source.trainImages, source.heldOutImages], [2, 1]);
    assert.equal(source.description.heldOut, 'the folder validation');
    assert.deepEqual([...(await source.evaluate(0))['targets']!], [1, 1, 1, 1]);
    const separate = await open(join(folder, 'train'), { evaluationPath: join(folder, 'other') });
    assert.equal(separate.description.heldOut, 'separate images: other');
    assert.equal(brightest((await separate.evaluate(0))['pixel_values']!, 0), 2);
  });

  it('match labels that no folder can be called, numbers, and else the order of names', async () => {
    const files = { '0/a.png': red, '2/a.png': blue, 'x/a.png': green };
    const targets = async (names: [string, string], labels: string[]): Promise<unknown> => {
      const [first, second] = names;
      const folder = temporaryFolder({ [`${first}/a.png`]: red, [`${second}/a.png`]: blue });
      const evaluationPath = folder;
      const source = await open(folder, {
        labels,
        evaluationPath,
        batchSize: 2,
        evaluationBatches: 1,
      });
      return [[...(await source.evaluate(0))['targets']!], notesOf(source).length];
    };
    // Classes without images are noted too.
    assert.deepEqual(await targets(['ankle boot', 't-shirt_top'], labels), [[9, 0], 1]);
    assert.deepEqual(await targets(['0', '2'], ['zero', 'one', 'two']), [[0, 2], 1]);
    // Training and evaluation folders are matched by order alike, which is said once.
    assert.deepEqual(await targets(['cats', 'dogs'], ['LABEL_0', 'LABEL_1']), [[0, 1], 1]);
    await assert.rejects(open(temporaryFolder(files), { labels: ['0', '2'] }), {
      message: /folders x are none of the model's classes/,
    });
    await assert.rejects(open(temporaryFolder(files), { labels: ['LABEL_0', 'LABEL_1'] }), {
      message: /3 class folders, but the model has 2 classes/,
    });
  });

  it('forget opacity, turn images upright and make 16 bits 8', async () => {
    const side = 8;
    const transparent = await sharp({
      create: {
        width: side,
        height: side,
        channels: 4,
        background: { r: 90, g: 60, b: 30, alpha: 0.25 },
      },
    })
      .png()
      .toBuffer();
    const deep = await sharp(
      Uint16Array.from({ length: 64 }, () => 0x8080),
      {
        raw: { width: side, height: side, channels: 1 },
      },
    )
      .toColourspace('grey16')
      .png()
      .toBuffer();
    const halves = await sharp(
      Uint8Array.from({ length: 192 }, (_, at) => (at < 96 ? 250 : 5)),
      {
        raw: { width: side, height: side, channels: 3 },
      },
    )
      .withMetadata({ orientation: 3 })
      .png()
      .toBuffer();
    const folder = temporaryFolder({ 'a/1.png': transparent, 'b/1.png': deep, 'c/1.png': halves });
    const source = await open(folder, {
      evaluationPath: folder,
      batchSize: 3,
      evaluationBatches: 1,
    });
    const values = (await source.evaluate(0))['pixel_values']!;
    assert.deepEqual([values[0], values[64], values[128]], [90, 60, 30]);
    assert.deepEqual([values[192], values[256], values[320]], [128, 128, 128]);
    assert.deepEqual([values[384], values[384 + 63]], [5, 250]);
  });

  it('name the images that are corrupt before anything is read from them', async () => {
    const folder = temporaryFolder({
      'a/good.png': red,
      'b/good.png': green,
      'b/cut.png': red.subarray(0, red.length - 20),
    });
    await assert.rejects(open(folder), (error: unknown) => {
      assert.ok(error instanceof CorruptFileError);
      assert.match(error.message, /^The image b\/cut\.png cannot be read: /);
      assert.match(remedyText(error.remedy), /--leave-out-broken/);
      return true;
    });
    writeFileSync(join(folder, 'b/no.jpg'), 'no image');
    await assert.rejects(open(folder), /b\/no\.jpg cannot be read/);
    writeFileSync(join(folder, 'b/cut.jpg'), blue.subarray(0, 30));
    await assert.rejects(
      open(folder),
      /^CorruptFileError: 2 images of 5 cannot be used: b\/cut\.jpg .*, b\/no\.jpg/,
    );
  });

  it('are refused where sizes, channels or paths do not fit', async () => {
    const folder = temporaryFolder({ 'a/1.png': red, 'b/1.png': blue, 'file.png': red });
    const source = await open(folder, { imageSize: 16 });
    await assert.rejects(source.train(0), {
      name: 'UserError',
      message: /8 × 8 pixels, but the model takes 16/,
    });
    const preprocessor = parsePreprocessor({ image_mean: [0.1, 0.2, 0.3] }, 'x');
    await assert.rejects(open(folder, { preprocessor, numChannels: 1 }), /normalises 3 channels/);
    await assert.rejects(open(folder, { numChannels: 4 }), UnsupportedError);
    await assert.rejects(open(folder, { batchSize: 0 }), UsageError);
    await assert.rejects(open(folder, { heldOutFraction: 1 }), UsageError);
    await assert.rejects(open(join(folder, 'none')), { message: /no file or folder/ });
    await assert.rejects(open(join(folder, 'file.png')), { message: /is a file/ });
    await assert.rejects(open(join(folder, 'a')), { message: /no images in class folders/ });
    const bitmaps = temporaryFolder({ 'a/1.bmp': 'BM', 'a/2.bmp': 'BM' });
    await assert.rejects(open(bitmaps), { message: /only 2 × \.bmp/, remedy: /convert \.bmp/ });
    await assert.rejects(open(temporaryFolder({ 'a/1.png': red })), { message: /only one image/ });
    await assert.rejects(open(join(folder, 'file.png')), UserError);
  });
});
