import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { normaliseInto, preparePixels } from '../../../src/data/pixels';
import { loadPreprocessor, parsePreprocessor } from '../../../src/data/preprocessor';
import { resizePixels, type Pixels } from '../../../src/data/resample';
import { CorruptFileError, UnsupportedError } from '../../../src/errors';
import { grey, resampled } from './pillowGolden';
import { examples, temporaryFolder } from './temporary';

const parse = (json: Record<string, unknown>) =>
  parsePreprocessor(json, 'preprocessor_config.json');

/** The image that the golden values were made of. */
function source(width: number, height: number, channels: 1 | 3): Pixels {
  const data = Uint8Array.from(
    { length: width * height * channels },
    (_, index) => (index * index * 37 + index * 11) % 256,
  );
  return { width, height, channels, data };
}

describe('resizing', () => {
  for (const [width, height, channels, resample, newWidth, newHeight, bytes] of resampled) {
    it(`makes Pillow's bytes: ${width}×${height}×${channels} → ${newWidth}×${newHeight}, resample ${resample}`, () => {
      const resized = resizePixels(
        source(width, height, channels),
        { width: newWidth, height: newHeight },
        resample,
      );
      assert.deepEqual([resized.width, resized.height], [newWidth, newHeight]);
      assert.equal(Buffer.from(resized.data).toString('base64'), bytes);
    });
  }

  it('leaves an image of the right size as it is', () => {
    const pixels = source(7, 5, 1);
    assert.equal(resizePixels(pixels, { width: 7, height: 5 }, 2), pixels);
  });
});

describe('preprocessor_config.json', () => {
  it('of the example says what the example was trained with', async () => {
    const { preprocessor, notes } = await loadPreprocessor(join(examples, 'vit-fmnist'));
    assert.deepEqual(preprocessor, {
      resize: { height: 28, width: 28 },
      resizeToModel: false,
      resample: 2,
      centerCrop: undefined,
      rescaleFactor: 1 / 255,
      mean: [0.286],
      standardDeviation: [0.353],
    });
    assert.deepEqual(notes, []);
  });

  it("that is missing is ViT's, and that is said", async () => {
    const { preprocessor, notes } = await loadPreprocessor(temporaryFolder());
    assert.equal(notes.length, 1);
    assert.match(notes[0]!.message, /no preprocessor_config\.json .*mean 0\.5/);
    assert.ok(preprocessor.resizeToModel);
    assert.deepEqual(preprocessor.mean, [0.5]);
    assert.deepEqual(preprocessor.standardDeviation, [0.5]);
  });

  it('may write sizes as a number, as sides or as the shortest edge', () => {
    const square = { height: 224, width: 224 };
    assert.deepEqual(parse({ size: 224 }).resize, square);
    assert.deepEqual(parse({ size: { shortest_edge: 256 } }).resize, { shortestEdge: 256 });
    const cropped = parse({ size: 256, do_center_crop: true, crop_size: 224 });
    assert.deepEqual(cropped.centerCrop, square);
    assert.equal(parse({ do_center_crop: false, crop_size: 224 }).centerCrop, undefined);
  });

  it('may switch each step off', () => {
    const off = parse({ do_resize: false, do_rescale: false, do_normalize: false, size: 224 });
    assert.equal(off.resize, undefined);
    assert.equal(off.resizeToModel, false);
    assert.equal(off.rescaleFactor, 1);
    const into = new Float32Array(35);
    normaliseInto(into, source(7, 5, 1), 1, off);
    assert.deepEqual([...into], [...source(7, 5, 1).data]);
  });

  for (const json of [
    { do_resize: 'yes' },
    { size: 'big' },
    { size: { height: 0, width: 4 } },
    { size: { height: 4 } },
    { image_mean: ['0.5'] },
    { image_mean: [] },
    { image_std: [0, 1, 1] },
    { rescale_factor: '1/255' },
    { resample: 'bilinear' },
  ]) {
    it(`is refused with ${JSON.stringify(json)}`, () => {
      assert.throws(() => parse(json), CorruptFileError);
    });
  }
  for (const json of [
    { do_pad: true },
    { do_flip_channel_order: true },
    { crop_pct: 0.875 },
    { resample: 9 },
    { size: { shortest_edge: 4, longest_edge: 8 } },
  ]) {
    it(`is not guessed at with ${JSON.stringify(json)}`, () => {
      assert.throws(() => parse(json), UnsupportedError);
    });
  }
});

describe('preparing an image', () => {
  it('resizes the shortest edge and keeps the proportions, rounding down', async () => {
    const preprocessor = parse({ size: { shortest_edge: 4 } });
    const wide = await preparePixels(source(9, 6, 3), preprocessor, 4);
    assert.deepEqual([wide.width, wide.height], [6, 4]);
    const tall = await preparePixels(source(5, 7, 1), preprocessor, 4);
    assert.deepEqual([tall.width, tall.height], [4, 5]); // 4 × 7 / 5 = 5.6
  });

  it('cuts the middle out, and puts black around what is too small', async () => {
    const crop = (side: number) =>
      parse({ do_resize: false, do_center_crop: true, crop_size: side });
    const pixels: Pixels = {
      width: 4,
      height: 2,
      channels: 1,
      data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    };
    assert.deepEqual([...(await preparePixels(pixels, crop(2), 2)).data], [2, 3, 6, 7]);
    assert.deepEqual(
      [...(await preparePixels(pixels, crop(3), 3)).data],
      [0, 0, 0, 1, 2, 3, 5, 6, 7],
    );
  });

  it('makes channels first, rescaled and normalised', () => {
    const pixels: Pixels = {
      width: 2,
      height: 1,
      channels: 3,
      data: Uint8Array.of(0, 51, 102, 153, 204, 255),
    };
    const config = parse({ image_mean: [0, 0.2, 0.4], image_std: [1, 0.5, 0.2] });
    const into = new Float32Array(6);
    normaliseInto(into, pixels, 3, config);
    const expected = [0, 0.6, 0, 1.2, 0, 3];
    expected.forEach((value, index) => assert.ok(Math.abs(into[index]! - value) < 1e-6));
  });

  it('makes colours grey as Pillow does, and grey colours of three equal channels', () => {
    const raw = parse({ do_rescale: false, do_normalize: false });
    const into = new Float32Array(54);
    normaliseInto(into, source(9, 6, 3), 1, raw);
    assert.deepEqual([...into], [...Buffer.from(grey, 'base64')]);
    const three = new Float32Array(3 * 35);
    normaliseInto(three, source(7, 5, 1), 3, raw);
    for (const plane of [0, 1, 2]) {
      assert.deepEqual([...three.slice(plane * 35, plane * 35 + 35)], [...source(7, 5, 1).data]);
    }
  });
});

describe('a folder of timm', () => {
  it('is prepared for as its pretrained_cfg says', async () => {
    const folder = temporaryFolder();
    const config = (pretrained: Record<string, unknown>) => {
      writeFileSync(join(folder, 'config.json'), JSON.stringify({ pretrained_cfg: pretrained }));
      return loadPreprocessor(folder);
    };
    const usual = { input_size: [3, 224, 224], interpolation: 'bicubic', crop_pct: 0.9 };
    const { preprocessor, notes } = await config({
      ...usual,
      mean: [0.5, 0.4, 0.3],
      std: [1, 1, 1],
    });
    assert.deepEqual(notes, []);
    assert.deepEqual(preprocessor.resize, { shortestEdge: 248 });
    assert.deepEqual(preprocessor.centerCrop, { height: 224, width: 224 });
    assert.equal(preprocessor.resample, 3);
    assert.deepEqual(preprocessor.mean, [0.5, 0.4, 0.3]);
    const squashed = await config({ ...usual, crop_mode: 'squash', crop_pct: 1 });
    assert.deepEqual(squashed.preprocessor.resize, { height: 224, width: 224 });
    assert.deepEqual(squashed.preprocessor.standardDeviation, [0.229, 0.224, 0.225]);
    await assert.rejects(config({ ...usual, crop_mode: 'border' }), /do_pad/);
    await assert.rejects(config({ ...usual, interpolation: 'random' }), /resampling -1/);
  });
});
