import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { zipOf, type ZipPart } from '../../support/zip';
import { temporaryFolder } from '../run/support';

/** What a wheel of a test says of itself. */
export interface FakeWheel {
  readonly distribution?: string;
  readonly version?: string;
  readonly tag?: string;
  /** The line of build_info.py. */
  readonly buildInfo?: string;
  /** Files below `tensorflow/`, in place of those of a whole TensorFlow. */
  readonly files?: Readonly<Record<string, string>>;
  /** Files that are not on the wheel's list. */
  readonly unlisted?: readonly ZipPart[];
  /** Changes what was listed. */
  readonly change?: (part: ZipPart) => ZipPart;
}

/** Files as wheels of Linux have them, with words in place of code. */
export const wholeTensorFlow: Readonly<Record<string, string>> = {
  'libtensorflow_cc.so.2': 'the library',
  'libtensorflow_framework.so.2': 'what it needs',
  '__init__.py': 'raise SystemExit',
  'include/tensorflow/c/c_api.h': '// C',
  'include/tensorflow/c/eager/c_api.h': '// eager',
  'include/tensorflow/core/platform/ctstring.h': '// strings',
  'include/tensorflow/core/framework/op.h': '// C++',
  'include/xla/tsl/c/tsl_status.h': '// status',
};

export const cudaBuildInfo =
  "build_info = collections.OrderedDict([('cuda_version', '12.5.1'), ('cudnn_version', '9'), ('is_cuda_build', True)])";
const cpuBuildInfo = "build_info = collections.OrderedDict([('is_cuda_build', False)])";

/** Writes a small wheel; gives its path. */
export function fakeWheel(wheel: FakeWheel = {}): string {
  const { distribution = 'tensorflow_cpu', version = '2.21.0', files = wholeTensorFlow } = wheel;
  const { tag = `manylinux_2_17_${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}` } = wheel;
  const { buildInfo = cpuBuildInfo, unlisted = [], change = (part: ZipPart) => part } = wheel;
  const about = `${distribution}-${version}.dist-info`;
  const texts = {
    ...Object.fromEntries(
      Object.entries(files).map(([name, text]) => [`tensorflow/${name}`, text]),
    ),
    'tensorflow/python/platform/build_info.py': buildInfo,
    [`${about}/METADATA`]: `Metadata-Version: 2.1\nName: ${distribution}\nVersion: ${version}\n\nName: in a description\n`,
    [`${about}/WHEEL`]: `Wheel-Version: 1.0\nTag: cp311-cp311-${tag}\n`,
  };
  const parts = Object.entries(texts).map(([name, text]) => ({ name, bytes: Buffer.from(text) }));
  const lines = parts.map(({ name, bytes }) => {
    const hash = createHash('sha256').update(bytes).digest('base64url');
    return `${name},sha256=${hash},${bytes.length}`;
  });
  const record = { name: `${about}/RECORD`, bytes: Buffer.from(lines.join('\n')) };
  const path = join(temporaryFolder(), `${distribution}-${version}-cp311-cp311-${tag}.whl`);
  writeFileSync(path, zipOf([...parts.map(change), record, ...unlisted]));
  return path;
}

/** Writes the C library as its archive is unpacked: the names without a version are links. */
export function fakeLibrary(
  version: string,
  names = ['tensorflow', 'tensorflow_framework'],
): string {
  const folder = temporaryFolder();
  for (const name of names) {
    write(folder, { [`lib/lib${name}.so.${version}`]: name });
    symlinkSync(`lib${name}.so.${version}`, join(folder, 'lib', `lib${name}.so.2`));
    symlinkSync(`lib${name}.so.2`, join(folder, 'lib', `lib${name}.so`));
  }
  return write(folder, {
    'include/tensorflow/c/c_api.h': '// C',
    'include/tensorflow/c/eager/c_api.h': '// eager',
  });
}

/** Writes texts below a folder; gives the folder. */
export function write(folder: string, texts: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}
