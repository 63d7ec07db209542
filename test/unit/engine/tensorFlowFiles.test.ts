import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openLibraryFolder } from '../../../src/engine/tfjsBuild/libraryFolder';
import { requireParts } from '../../../src/engine/tfjsBuild/places';
import { requireRoom, takeOut } from '../../../src/engine/tfjsBuild/takeOut';
import type { TensorFlow } from '../../../src/engine/tfjsBuild/tensorFlow';
import { openWheel } from '../../../src/engine/tfjsBuild/wheel';
import { remedyText } from '../../support/remedyText';
import { CorruptFileError, UnsupportedError, UserError } from '../../../src/errors';
import { failure } from '../../support/userError';
import { temporaryFolder } from '../run/support';
import {
  cudaBuildInfo,
  fakeLibrary,
  fakeWheel,
  wholeTensorFlow,
  write,
  type FakeWheel,
} from './fakeTensorFlow';

const places = ({ files }: TensorFlow): string[] => files.map(({ place }) => place).sort();
const openFake = (wheel?: FakeWheel) => openWheel(fakeWheel(wheel), 'linux');

/** Takes all of a TensorFlow out, as for Linux; gives the folder. */
async function takenOut(
  { files }: TensorFlow,
  to = join(temporaryFolder(), 'deps'),
  signal = new AbortController().signal,
): Promise<string> {
  const library = 'libtensorflow_cc.so.2';
  await takeOut(files, { to, platform: 'linux', library, signal, onLine: () => undefined });
  return to;
}

describe('a wheel of TensorFlow', () => {
  it('tells its version, its platforms and that it was built without CUDA', async () => {
    await using wheel = await openFake({ tag: 'manylinux_2_17_x86_64.manylinux2014_x86_64' });
    assert.match(wheel.name, /^tensorflow_cpu-2\.21\.0-.*\.whl$/);
    assert.equal(wheel.version, '2.21.0');
    assert.deepEqual(wheel.platforms, ['manylinux_2_17_x86_64', 'manylinux2014_x86_64']);
    assert.equal(wheel.isForCuda, false);
    assert.equal(wheel.cuda, undefined);
  });

  it('tells the CUDA it was built for', async () => {
    await using wheel = await openFake({ distribution: 'tensorflow', buildInfo: cudaBuildInfo });
    assert.equal(wheel.isForCuda, true);
    assert.deepEqual(wheel.cuda, { cuda: '12.5.1', cudnn: '9' });
  });

  it('gives the libraries and the headers of the C interface, and nothing else', async () => {
    await using wheel = await openFake();
    assert.deepEqual(places(wheel), [
      'include/tensorflow/c/c_api.h',
      'include/tensorflow/c/eager/c_api.h',
      'include/tensorflow/core/platform/ctstring.h',
      'include/xla/tsl/c/tsl_status.h',
      'lib/libtensorflow_cc.so.2',
      'lib/libtensorflow_framework.so.2',
    ]);
    const folder = await takenOut(wheel);
    assert.equal(readFileSync(join(folder, 'lib/libtensorflow_cc.so.2'), 'utf8'), 'the library');
    assert.equal(readlinkSync(join(folder, 'lib/libtensorflow.so')), 'libtensorflow_cc.so.2');
    assert.equal(
      readlinkSync(join(folder, 'lib/libtensorflow_framework.so')),
      'libtensorflow_framework.so.2',
    );
  });

  it('is refused when it is no zip, or was cut off', async () => {
    const path = join(temporaryFolder(), 'tensorflow.whl');
    writeFileSync(path, 'not a wheel');
    await failure(
      openWheel(path, 'linux'),
      CorruptFileError,
      /cannot be read as a wheel: .*[^.]\.$/,
    );
    const whole = readFileSync(fakeWheel());
    writeFileSync(path, whole.subarray(0, whole.length - 100));
    await failure(
      openWheel(path, 'linux'),
      CorruptFileError,
      /cannot be read as a wheel: .*[^.]\.$/,
    );
    await failure(openWheel(temporaryFolder(), 'linux'), CorruptFileError, /is a folder/);
  });

  it('is refused when it is a wheel of something else, or no wheel', async () => {
    const other = openFake({ distribution: 'tensorflow_text' });
    await failure(other, UnsupportedError, /is a wheel of tensorflow-text, not of TensorFlow/);
    const path = join(temporaryFolder(), 'some.zip');
    writeFileSync(
      path,
      readFileSync(fakeWheel()).toString('latin1').replaceAll('METADATA', 'METADATE'),
      'latin1',
    );
    await failure(openWheel(path, 'linux'), UnsupportedError, /is no wheel/);
  });

  for (const name of ['../../evil', '/evil', 'tensorflow/../../evil', 'tensorflow\\..\\evil']) {
    it(`is refused as a whole for a file called ${name}`, async () => {
      const unlisted = [{ name, bytes: Buffer.from('evil') }];
      await failure(
        openFake({ unlisted }),
        CorruptFileError,
        /cannot be read as a wheel: .*[^.]\.$/,
      );
    });
  }

  it('is refused when a name is there twice', async () => {
    const unlisted = [{ name: 'tensorflow/libtensorflow_cc.so.2', bytes: Buffer.from('another') }];
    await failure(openFake({ unlisted }), CorruptFileError, /two files called tensorflow\/lib/);
  });

  it('is refused when a library is not on its list', async () => {
    const files = { 'include/tensorflow/c/c_api.h': '// C' };
    const unlisted = [{ name: 'tensorflow/libtensorflow_cc.so.2', bytes: Buffer.from('new') }];
    await failure(openFake({ files, unlisted }), CorruptFileError, /SHA-256 of tensorflow\/lib/);
  });

  it('is refused when a library is not what the list says', async () => {
    await using wheel = await openFake({
      change: part =>
        part.name.endsWith('_cc.so.2') ? { ...part, bytes: Buffer.from('a changed 1') } : part,
    });
    const error = await failure(
      takenOut(wheel),
      CorruptFileError,
      /libtensorflow_cc\.so\.2 is not/,
    );
    assert.match(remedyText(error.remedy), /damaged or was changed/);
  });

  it('is refused when it unpacks to more than it says', async () => {
    await using wheel = await openFake({
      change: part => (part.name.endsWith('_cc.so.2') ? { ...part, claimedBytes: 4 } : part),
    });
    await failure(takenOut(wheel), UserError, /could not be taken from TensorFlow: too many bytes/);
  });

  it('ends at once when it is cancelled', async () => {
    await using wheel = await openFake();
    await assert.rejects(takenOut(wheel, undefined, AbortSignal.abort()), { name: 'AbortError' });
  });

  it('is not written over what is there', async () => {
    const to = temporaryFolder();
    write(to, { 'lib/libtensorflow_cc.so.2': 'mine' });
    await using wheel = await openFake();
    await failure(takenOut(wheel, to), UserError, /EEXIST/);
    assert.equal(readFileSync(join(to, 'lib/libtensorflow_cc.so.2'), 'utf8'), 'mine');
  });

  it('needs its library, what that needs, and the headers', async () => {
    const missing = async (platform: NodeJS.Platform, ...left: string[]) => {
      const kept = Object.entries(wholeTensorFlow).filter(([name]) => !left.includes(name));
      await using wheel = await openWheel(fakeWheel({ files: Object.fromEntries(kept) }), platform);
      requireParts(wheel.name, wheel.files, platform);
    };
    await missing('linux');
    const old = await failure(
      missing('linux', 'libtensorflow_cc.so.2'),
      UnsupportedError,
      /libtensorflow_cc\.so\.2 or libtensorflow\.so\.2 is not in it/,
    );
    assert.match(remedyText(old.remedy), /2\.12 or later/);
    await failure(
      missing('linux', 'libtensorflow_framework.so.2'),
      UnsupportedError,
      /libtensorflow_framework\.so\.2 is not in it/,
    );
    await failure(
      missing('linux', 'include/tensorflow/c/eager/c_api.h'),
      UnsupportedError,
      /no headers of TensorFlow's C interface/,
    );
    const windows = await failure(missing('win32'), UnsupportedError, /tensorflow\.dll/);
    assert.match(remedyText(windows.remedy), /C library for Windows/);
  });
});

describe('a folder with TensorFlow', () => {
  it('is the unpacked C library, whose version the file’s name tells', async () => {
    await using library = await openLibraryFolder(fakeLibrary('2.15.0'), 'linux');
    assert.equal(library.version, '2.15.0');
    assert.deepEqual(places(library), [
      'include/tensorflow/c/c_api.h',
      'include/tensorflow/c/eager/c_api.h',
      'lib/libtensorflow.so.2',
      'lib/libtensorflow_framework.so.2',
    ]);
    const main = requireParts(library.name, library.files, 'linux');
    assert.equal(main, 'libtensorflow.so.2');
    const to = join(temporaryFolder(), 'deps');
    const signal = new AbortController().signal;
    const out = { to, platform: 'linux', library: main, signal, onLine: () => undefined } as const;
    await takeOut(library.files, out);
    assert.equal(readFileSync(join(to, 'lib/libtensorflow.so.2'), 'utf8'), 'tensorflow');
    assert.equal(readlinkSync(join(to, 'lib/libtensorflow.so')), 'libtensorflow.so.2');
    assert.deepEqual(readdirSync(join(to, 'include/tensorflow/c')), ['c_api.h', 'eager']);
  });

  it('is the package as pip installs it, which tells its CUDA', async () => {
    const folder = write(temporaryFolder(), {
      ...wholeTensorFlow,
      'python/platform/build_info.py': cudaBuildInfo,
    });
    await using installed = await openLibraryFolder(folder, 'linux');
    assert.equal(installed.version, undefined);
    assert.deepEqual(installed.cuda, { cuda: '12.5.1', cudnn: '9' });
    assert.equal(requireParts('tensorflow', installed.files, 'linux'), 'libtensorflow_cc.so.2');
  });

  it('is refused when it is empty, or holds a library twice', async () => {
    await using empty = await openLibraryFolder(temporaryFolder(), 'linux');
    assert.throws(() => requireParts('it', empty.files, 'linux'), /holds no TensorFlow/);
    const folder = write(fakeLibrary('2.15.0'), { 'libtensorflow.so.2': 'another' });
    await failure(
      openLibraryFolder(folder, 'linux'),
      CorruptFileError,
      /libtensorflow\.so\.2 twice/,
    );
  });
});

describe('the room for TensorFlow', () => {
  const file = (place: string, bytes: number) => ({
    place,
    bytes,
    open: () => Promise.reject(new Error('nothing is read')),
  });
  const room = (files: readonly ReturnType<typeof file>[]) =>
    requireRoom({ name: 'a.whl', files }, temporaryFolder());

  it('is asked of the sizes that are listed, before anything is written', async () => {
    await room([file('lib/libtensorflow_cc.so.2', 1e6)]);
    await failure(room([file('lib/a', 1e13)]), CorruptFileError, /a\.whl says that a has 10 TB/);
    await failure(
      room([file('include/a.h', 5e6)]),
      CorruptFileError,
      /a\.h has 5 MB, more than any/,
    );
    const many = Array.from({ length: 1e5 }, (_, at) => file(`lib/${at}`, 15e9));
    await failure(room(many), UserError, /TensorFlow takes 1,500 TB on the disk of .*, which has/);
  });
});
