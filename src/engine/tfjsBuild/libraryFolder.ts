import { readdir, realpath } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { CorruptFileError } from '../../errors';
import { ifThere, openRegular, readTextFile } from '../../files';
import { libraryNames, placeOf } from './places';
import { cudaOf, type TensorFlow, type TensorFlowFile } from './tensorFlow';

/** Folders below `include` that headers of the C interface lie in. */
const includeFolders = ['tensorflow', 'tsl', 'xla'];
/** Bytes of a generated text at most. */
const mostText = 1e6;

/**
 * Looks at a folder with a TensorFlow in it: the unpacked C library (lib, include), or the package as
 * pip installs it. Its links are a person's own and are followed.
 * @throws UserError when a file of it cannot be read
 */
export async function openLibraryFolder(
  path: string,
  platform: NodeJS.Platform,
): Promise<TensorFlow> {
  const folders = ['.', 'lib', ...includeFolders.map(folder => `include/${folder}`)];
  const names = (await Promise.all(folders.map(folder => namesIn(path, folder)))).flat();
  const files = await Promise.all(
    names.flatMap(name => {
      const place = placeOf(name, platform);
      return place === undefined ? [] : [fileAt(join(path, name), place)];
    }),
  );
  const buildInfo = await ifThere(
    readTextFile(join(path, 'python', 'platform', 'build_info.py'), mostText),
  );
  const version = await versionOf(path, files, platform);
  return {
    name: basename(path),
    ...(version !== undefined && { version }),
    ...(buildInfo !== undefined && cudaOf(buildInfo)),
    files: requireOnce(path, files),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function namesIn(path: string, folder: string): Promise<string[]> {
  const recursive = folder.startsWith('include/');
  const names = await ifThere(readdir(join(path, folder), { recursive }));
  return (names ?? []).map(name =>
    [...(folder === '.' ? [] : [folder]), ...name.split(sep)].join('/'),
  );
}

async function fileAt(path: string, place: string): Promise<TensorFlowFile> {
  const { handle, identity } = await openRegular(path);
  await handle.close();
  const open = async () => (await openRegular(path)).handle.createReadStream();
  return { place, bytes: identity.size, open };
}

/** libtensorflow.so.2 is a link to the file that has the version in its name: libtensorflow.so.2.9.1. */
async function versionOf(
  path: string,
  files: readonly TensorFlowFile[],
  platform: NodeJS.Platform,
): Promise<string | undefined> {
  for (const name of libraryNames(platform).main) {
    if (!files.some(({ place }) => place === `lib/${name}`)) continue;
    const found = [join(path, 'lib', name), join(path, name)];
    for (const each of found) {
      const real = await ifThere(realpath(each));
      const version = /\.(\d+\.\d+\.\d+)(\.dylib)?$/.exec(real ?? '')?.[1];
      if (version !== undefined) return version;
    }
  }
  return undefined;
}

/** A library beside `lib` and another one in it are two, and only one can be meant. */
function requireOnce(path: string, files: readonly TensorFlowFile[]): readonly TensorFlowFile[] {
  const places = files.map(({ place }) => place);
  const twice = places.find((place, index) => places.indexOf(place) !== index);
  if (twice === undefined) return files;
  throw new CorruptFileError(
    `${path} holds ${basename(twice)} twice, in itself and in lib.`,
    'Remove the one that is not meant.',
  );
}
