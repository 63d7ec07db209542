import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import {
  openImageBatches,
  type ImageBatchOptions,
  type ImageBatchSource,
} from '../../../src/data/imageBatches';
import { checkImages } from '../../../src/data/imageCheck';
import { imageBands, readImageHeader, turnUpright } from '../../../src/data/imageFile';
import { preparePixels, resizeFile } from '../../../src/data/pixels';
import { parsePreprocessor } from '../../../src/data/preprocessor';
import { resizePixels, type Pixels } from '../../../src/data/resample';
import { CorruptFileError, UnsupportedError, UserError } from '../../../src/errors';
import { temporaryFolder } from './temporary';

const plain = parsePreprocessor(
  { do_resize: false, do_rescale: false, do_normalize: false },
  'preprocessor_config.json',
);
const toModel = parsePreprocessor({}, 'preprocessor_config.json');

const open = (path: string, options: Partial<ImageBatchOptions> = {}): Promise<ImageBatchSource> =>
  openImageBatches({
    ...{ path, preprocessor: toModel, numChannels: 3, imageSize: 8, batchSize: 4, seed: 0 },
    ...options,
  });

/** What is said of a source, but for the small number of its held-out images. */
const said = ({ notes }: ImageBatchSource): string[] =>
  notes
    .map(({ message }) => message)
    .filter(message => !/held out, (so accuracy|and no image)/.test(message));

/** Pixels in which each has a value of its own. */
const pattern = (width: number, height: number, channels: 1 | 3 | 4 = 3): Buffer =>
  Buffer.from(Array.from({ length: width * height * channels }, (_, at) => (at * 37 + 11) % 251));

const image = (width: number, height: number, channels: 1 | 3 | 4 = 3) =>
  sharp(pattern(width, height, channels), { raw: { width, height, channels } });

/** A PNG whose header promises a size that its few bytes do not hold. */
function promisedPng(width: number, height: number, interlaced = false): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body) >>> 0, 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, interlaced ? 1 : 0], 8);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(100))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('images before a run', () => {
  let good: Buffer;
  let jpeg: Buffer;
  before(async () => {
    good = await image(8, 8).png().toBuffer();
    jpeg = await image(200, 200).jpeg().toBuffer();
  });

  it('are refused where one is cut off, in every format, and left out on request', async () => {
    const whole = {
      'a.jpg': jpeg,
      'progressive.jpg': await image(200, 200).jpeg({ progressive: true }).toBuffer(),
      'b.png': await image(50, 50).png().toBuffer(),
      'interlaced.png': await image(50, 50).png({ progressive: true }).toBuffer(),
      'c.webp': await image(50, 50).webp().toBuffer(),
    };
    for (const [name, bytes] of Object.entries(whole)) {
      for (const share of [0.6, 0.97]) {
        const folder = temporaryFolder({
          'x/1.png': good,
          'y/1.png': good,
          'y/2.png': good,
          [`y/${name}`]: bytes.subarray(0, Math.floor(bytes.length * share)),
        });
        await assert.rejects(open(folder), (error: unknown) => {
          assert.ok(error instanceof CorruptFileError, String(error));
          assert.ok(
            error.message.startsWith(`The image y/${name} cannot be read: `),
            error.message,
          );
          return true;
        });
        const source = await open(folder, { leaveOutBroken: true });
        assert.equal(source.trainImages + source.heldOutImages, 3);
        assert.match(said(source).join(), /^1 image of 4 cannot be used and was left out: y\//);
        assert.ok(!source.description.files.some(file => file.name === `y/${name}`));
        await source.train(0);
        await source.evaluate(0);
        await source.close();
      }
      const fine = temporaryFolder({ 'x/1.png': good, [`y/${name}`]: bytes });
      assert.equal((await open(fine)).trainImages, 1);
    }
    const none = temporaryFolder({ 'x/1.png': 'no image', 'y/1.png': '' });
    await assert.rejects(
      open(none, { leaveOutBroken: true }),
      /None of the 2 images .* can be read/,
    );
  });

  it('that are too many to be decoded before a run are decoded while it goes on', async () => {
    const folder = temporaryFolder({ 'good.png': good, 'cut.jpg': jpeg.subarray(0, 2000) });
    const files = ['good.png', 'cut.jpg', 'good.png'].map(name => ({
      path: join(folder, name),
      name,
    }));
    const options = { preprocessor: toModel, imageSize: 8, decodedBefore: 1 };
    const { background, headers } = await checkImages(files, options);
    assert.equal(headers.filter(header => header !== undefined).length, 3);
    await background.finished;
    assert.throws(() => background.throwIfFailed(), /The image cut\.jpg cannot be read/);
    const stopped = await checkImages(files, options);
    stopped.background.stop();
    await stopped.background.finished;
  });

  it('are refused by their headers where they would take too much memory', async () => {
    const refused = async (bytes: Buffer, message: RegExp, preprocessor = toModel) => {
      const folder = temporaryFolder({ 'x/1.png': good, 'y/large.png': bytes });
      await assert.rejects(open(folder, { preprocessor }), (error: unknown) => {
        assert.ok(error instanceof UnsupportedError, String(error));
        assert.match(error.message, message);
        return true;
      });
    };
    await refused(promisedPng(10_001, 10_000), /more than the 100 million that are read/);
    await refused(promisedPng(12_000, 11_000, true), /more than the 100 million/);
    await refused(promisedPng(9999, 9999), /resized to 9999 × 9999, which takes too much/, plain);
    const edge = parsePreprocessor({ size: { shortest_edge: 224 } }, 'x');
    await refused(promisedPng(60_000, 1), /resized to 13440000 × 224/, edge);
    await assert.rejects(
      preparePixels(
        { width: 60_000, height: 1, channels: 1, data: new Uint8Array(60_000) },
        edge,
        224,
      ),
      UnsupportedError,
    );
  });

  it('are said to be read in part where they have several frames', async () => {
    const frames = await sharp(pattern(8, 16), {
      raw: { width: 8, height: 16, channels: 3, pageHeight: 8 },
    })
      .webp({ loop: 0, delay: [100, 100] })
      .toBuffer();
    const source = await open(temporaryFolder({ 'x/1.png': good, 'y/1.webp': frames }));
    assert.match(said(source).join(), /1 image has several frames, .* first is seen: y\/1\.webp/);
  });
});

describe('class folders', () => {
  let png: Buffer;
  before(async () => {
    png = await image(8, 8).png().toBuffer();
  });
  const notes = async (files: Record<string, string | Buffer>, labels?: string[]) =>
    said(await open(temporaryFolder(files), { labels, imageSize: 8 })).map(note =>
      note.replace(/in \/\S+/, 'in F').replace(/Of \/\S+,/, 'Of F,'),
    );

  it('are told of whatever lies beside images, and of images that lie outside', async () => {
    const said = await notes({
      'a/1.png': png,
      'b/1.png': png,
      'b/2.bmp': 'BM',
      'b/.3.png': png,
      'c/readme.txt': 'nothing yet',
      'loose.png': png,
      'labels.csv': 'name,label',
    });
    assert.deepEqual(said, [
      'Files in F that are no .png, .jpg or .webp were left out: 1 × .bmp (b/2.bmp), 1 × .txt (c/readme.txt), 1 × .csv (labels.csv).',
      'Hidden files and folders in F were left out: b/.3.png.',
      '1 image lies in no class folder and was left out: loose.png.',
      '1 folder holds no images and is no class: c.',
    ]);
    const loose = temporaryFolder({ '1.png': png, '2.png': png });
    await assert.rejects(open(loose), /only 2 images directly in it/);
  });

  it('that are one class twice are said, and those that fit two are refused', async () => {
    const files = { 'Cat/1.png': png, 'cat/1.png': png, 'dog/1.png': png };
    assert.match(
      (await notes(files, ['cat', 'dog'])).join(),
      /folders Cat, cat are taken as one class: cat/,
    );
    assert.match((await notes(files)).join(), /folders Cat, cat are different classes/);
    assert.match(
      (await notes({ '0/1.png': png, '00/1.png': png }, ['x', 'y'])).join('\n'),
      /folders 0, 00 are taken as one class: x\.\n1 class of the model's 2 has no images: y/,
    );
    await assert.rejects(
      open(temporaryFolder(files), { labels: ['cat', 'dog', 'cat'] }),
      /folder Cat fits two .* 0 \(cat\) and 2 \(cat\)/,
    );
  });

  it('are followed through links', async () => {
    const elsewhere = temporaryFolder({ 'b/1.png': png });
    const folder = temporaryFolder({ 'a/1.png': png });
    symlinkSync(join(elsewhere, 'b'), join(folder, 'b'));
    symlinkSync(join(folder, 'a/1.png'), join(folder, 'a/2.png'));
    const source = await open(folder);
    assert.deepEqual(source.classes, ['a', 'b']);
    assert.equal(source.trainImages + source.heldOutImages, 3);
  });

  it('are no parts of a set, however those are called', async () => {
    const parts = { 'Train/a/1.png': png, 'Train/b/1.png': png, 'Val/a/1.png': png };
    const source = await open(temporaryFolder({ ...parts, 'test/a/1.png': png }));
    assert.deepEqual(source.classes, ['a', 'b']);
    assert.equal(source.description.heldOut, 'the folder Val');
    assert.match(said(source).join(), /only Train and Val are read: test is left out/);
    await assert.rejects(
      open(temporaryFolder({ 'train/1.png': png, 'val/1.png': png })),
      /train, val\) are parts of a set and no classes/,
    );
    const labels = ['train', 'bus'];
    const vehicles = { 'train/deep/1.png': png, 'bus/1.png': png };
    assert.deepEqual(await notes(vehicles, labels), []);
  });

  it('without an image left to learn from are said', async () => {
    const { notes: found } = await open(temporaryFolder({ 'a/1.png': png, 'b/1.png': png }));
    assert.match(
      found.map(({ message }) => message).join(),
      /1 class is only held out, and no image is left to learn from: [ab]/,
    );
  });
});

describe('pixels of an image file', () => {
  const read = async (bytes: Buffer): Promise<Pixels> => {
    const folder = temporaryFolder();
    const file = { path: join(folder, 'image'), name: 'image' };
    writeFileSync(file.path, bytes);
    const header = await readImageHeader(file);
    return preparePixels({ file, header }, plain, 8);
  };

  it('ignore a colour profile and mix inks as the Python Imaging Library does', async () => {
    const wide = await image(6, 5).withIccProfile('p3', { attach: true }).png().toBuffer();
    const bare = await image(6, 5).png().toBuffer();
    // sharp converts into the profile while it writes; what was stored then is what has to come out.
    const stored = await sharp(wide, { ignoreIcc: true }).removeAlpha().raw().toBuffer();
    assert.deepEqual(Buffer.from((await read(wide)).data), stored);
    assert.deepEqual(Buffer.from((await read(bare)).data), pattern(6, 5));
    // Image.new('CMYK', (8, 8), (10, 120, 30, 40)).save(…, quality=100), opened and converted to RGB.
    const inks = Buffer.from(cmykJpeg, 'base64');
    assert.deepEqual([...(await read(inks)).data.subarray(0, 3)], cmykInPillow);
  });

  it('are turned upright by all eight of EXIF’s numbers', async () => {
    for (let orientation = 1; orientation <= 8; orientation++) {
      const bytes = await image(6, 5).withMetadata({ orientation }).png().toBuffer();
      const expected = await sharp(bytes, { autoOrient: true })
        .raw()
        .toBuffer({ resolveWithObject: true });
      const found = await read(bytes);
      assert.deepEqual([found.width, found.height], [expected.info.width, expected.info.height]);
      assert.deepEqual(Buffer.from(found.data), expected.data, `orientation ${orientation}`);
    }
    const one: Pixels = { width: 1, height: 1, channels: 1, data: Uint8Array.of(7) };
    assert.equal(turnUpright(one, 9), one);
  });

  it('come in bands of the same pixels where the image is large, turned or not', async () => {
    const [width, height] = [900, 541];
    const stripes = Buffer.alloc(width * height);
    for (let row = 0; row < height; row++) stripes.fill(row % 256, row * width, (row + 1) * width);
    for (const orientation of [1, 3, 6]) {
      const bytes = await sharp(stripes, { raw: { width, height, channels: 1 } })
        .withMetadata({ orientation })
        .png({ compressionLevel: 1 })
        .toBuffer();
      const folder = temporaryFolder({ image: bytes });
      const file = { path: join(folder, 'image'), name: 'image' };
      const header = await readImageHeader(file);
      let bands = 0;
      for await (const band of imageBands(file, header, 60_000)) {
        bands++;
        assert.ok(band.width * band.height <= 60_000);
      }
      assert.ok(bands >= 9);
      const found = await resizeFile(file, header, toModel, 16, 60_000);
      const { data, info } = await sharp(bytes, { autoOrient: true })
        .raw()
        .toBuffer({ resolveWithObject: true });
      const channels = info.channels as 1 | 3;
      const expected = resizePixels({ ...info, channels, data }, { width: 16, height: 16 }, 2);
      assert.deepEqual(found, expected);
    }
  });

  it('that are no image are an error of the file, never one of ours', async () => {
    const png = await image(8, 8).png().toBuffer();
    for (let at = 0; at < png.length; at += 3) {
      const damaged = Buffer.from(png);
      damaged[at]! ^= 0xff;
      await read(damaged).catch((error: unknown) =>
        assert.ok(error instanceof UserError, String(error)),
      );
    }
  });
});

/** What Pillow 12.3 writes, and what it reads of it. */
const cmykJpeg =
  '/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB/8AAFAgACAAIBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD+6iu4r+wiv6uK/9k=';
const cmykInPillow = [207, 114, 190];
