import { UnsupportedError } from '../../errors';
import type { TensorFlowFile } from './tensorFlow';

/** TensorFlow's libraries on a system, by their names. */
interface LibraryNames {
  /** The library with the C interface: the one of a wheel, or that of the C library. */
  readonly main: readonly string[];
  /** What is needed beside it. */
  readonly beside: readonly string[];
  /** Names that the addon's build looks for, with what each leads to: `main`, or a name. */
  readonly links: readonly (readonly [name: string, to: string])[];
}

const linux: LibraryNames = {
  main: ['libtensorflow_cc.so.2', 'libtensorflow.so.2'],
  beside: ['libtensorflow_framework.so.2'],
  links: [
    ['libtensorflow.so', 'main'],
    ['libtensorflow_framework.so', 'libtensorflow_framework.so.2'],
  ],
};

const macOs: LibraryNames = {
  main: ['libtensorflow_cc.2.dylib', 'libtensorflow.2.dylib'],
  beside: ['libtensorflow_framework.2.dylib'],
  links: [['libtensorflow.2.dylib', 'main']],
};

/** The library of wheels for Windows is a Python module, which nothing else can be linked to. */
const windows: LibraryNames = { main: ['tensorflow.dll'], beside: ['tensorflow.lib'], links: [] };

export const libraryNames = (platform: NodeJS.Platform): LibraryNames => {
  if (platform === 'win32') return windows;
  return platform === 'darwin' ? macOs : linux;
};

/** Headers of the C interface and of what it includes, wherever a version of TensorFlow keeps them. */
const header =
  /^include\/((tensorflow\/)?(xla\/)?tsl\/c|tensorflow\/c)\/([\w-]+\/)*[\w-]+\.h$|^include\/([\w-]+\/)+platform\/ctstring(_internal)?\.h$/;

/** The header that the addon itself includes. */
const wantedHeader = 'include/tensorflow/c/eager/c_api.h';

/**
 * Where a file of TensorFlow's belongs below the addon's dependencies, by its name within the package
 * or folder, with slashes; undefined where it is not needed.
 */
export function placeOf(name: string, platform: NodeJS.Platform): string | undefined {
  if (name.startsWith('include/')) return header.test(name) ? name : undefined;
  const { main, beside } = libraryNames(platform);
  const [file] = /^(?:lib\/)?([^/]+)$/.exec(name)?.slice(1) ?? [];
  return file !== undefined && [...main, ...beside].includes(file) ? `lib/${file}` : undefined;
}

/** The library with the C interface among files. Throws UnsupportedError when a part is missing. */
export function requireParts(
  name: string,
  files: readonly TensorFlowFile[],
  platform: NodeJS.Platform,
): string {
  const has = (place: string): boolean => files.some(file => file.place === place);
  const { main, beside } = libraryNames(platform);
  const library = main.find(file => has(`lib/${file}`));
  const missing = [
    ...(library === undefined ? [main.join(' or ')] : []),
    ...beside.filter(file => !has(`lib/${file}`)),
  ];
  if (library === undefined || missing.length > 0) {
    throw new UnsupportedError(
      `${name} holds no TensorFlow that can be linked to: ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not in it.`,
      platform === 'win32'
        ? 'Unpack TensorFlow’s C library for Windows and give its folder: wheels for Windows have only a Python module.'
        : 'Give a wheel of TensorFlow 2.12 or later, or the folder of its C library, with lib and include in it.',
    );
  }
  if (!has(wantedHeader)) {
    throw new UnsupportedError(
      `${name} has no headers of TensorFlow's C interface (${wantedHeader}).`,
      'Give a whole wheel, or a folder with both lib and include in it.',
    );
  }
  return library;
}
