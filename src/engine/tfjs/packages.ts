import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as z from 'zod/mini';
import { enginePackages } from '../folder';

/** Which of TensorFlow's two native packages. */
export type NativeBackend = 'gpu' | 'node';

/** A native package as it lies on disk. */
export interface TfjsPackage {
  readonly backend: NativeBackend;
  readonly name: string;
  readonly version: string;
  /** Its folder. */
  readonly path: string;
  /** The addon that this Node would load; absent where its download failed. */
  readonly addon?: string;
  /** TensorFlow's own library; absent where its download failed. */
  readonly library?: string;
  /** What its addon was built with on this machine; absent where it was downloaded. */
  readonly built?: BuiltWith;
}

const builtWith = z.object({
  /** Version of TensorFlow. */
  tensorFlow: z.string(),
  /** The file or folder it came from, without the way there. */
  from: z.string(),
  cuda: z.optional(z.object({ cuda: z.string(), cudnn: z.string() })),
});

/** What is noted beside an addon that was built here. */
export type BuiltWith = z.infer<typeof builtWith>;

/** Where that is noted, within the package. */
export const builtWithFile = join('deps', 'built-with.json');

export const packageNames: Readonly<Record<NativeBackend, string>> = {
  gpu: enginePackages['tfjs-gpu'].name,
  node: enginePackages['tfjs-node'].name,
};

const manifest = z.object({
  version: z.string(),
  binary: z.optional(z.object({ napi_versions: z.array(z.number()) })),
});

/**
 * The native packages that are installed below `folder` (its node_modules) or beside this software,
 * found without loading any of their code.
 */
export function installedTfjs(folder?: string): TfjsPackage[] {
  return (['gpu', 'node'] as const).flatMap(backend => {
    const path = packageFolder(packageNames[backend], folder);
    return path === undefined ? [] : [describePackage(backend, path)];
  });
}

/** Where a package lies: below `folder`, else where this software's own packages are found. */
export function packageFolder(name: string, folder?: string): string | undefined {
  if (folder !== undefined) {
    const path = join(folder, 'node_modules', name);
    if (existsSync(join(path, 'package.json'))) return path;
  }
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

function describePackage(backend: NativeBackend, path: string): TfjsPackage {
  const { version, addon } = addonPlace(path);
  const library = [join(path, 'deps', 'lib'), ...addonFolders(path)]
    .flatMap(filesOf)
    .find(file => libraryName.test(file));
  const note = join(path, builtWithFile);
  return {
    backend,
    name: packageNames[backend],
    version,
    path,
    ...(existsSync(addon) && { addon }),
    ...(library !== undefined && { library }),
    ...(existsSync(note) && { built: builtWith.parse(JSON.parse(readFileSync(note, 'utf8'))) }),
  };
}

/** A package's version, and the addon that this Node would load from it, whether or not it is there. */
export function addonPlace(path: string): {
  readonly version: string;
  readonly addon: string;
  /** Version of Node's interface for addons. */
  readonly interfaceVersion: number;
} {
  const { version, binary } = manifest.parse(
    JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')),
  );
  const interfaceVersion = addonVersion(binary?.napi_versions ?? [8]);
  const addon = join(path, 'lib', `napi-v${interfaceVersion}`, 'tfjs_binding.node');
  return { version, addon, interfaceVersion };
}

/** libtensorflow.so.2.9.1, libtensorflow_cc.so.2, libtensorflow.2.dylib, tensorflow.dll */
const libraryName = /[\\/](libtensorflow(_cc)?\.(so|dylib|\d)[^\\/]*|tensorflow\.dll)$/;

/** The newest version of Node's interface for addons that the package and this Node both know. */
function addonVersion(known: readonly number[]): number {
  const ours = Number(process.versions['napi']);
  return Math.max(...known.filter(version => version <= ours));
}

/** Every folder an addon, and on Windows the library beside it, may lie in. */
const addonFolders = (path: string): string[] =>
  foldersOf(join(path, 'lib')).filter(folder => /napi-v\d+$/.test(folder));

function foldersOf(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => join(path, name));
}

/** Files of a folder; links that lead nowhere are none. */
function filesOf(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .map(name => join(path, name))
    .filter(existsSync);
}
