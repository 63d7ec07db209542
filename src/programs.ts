import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { posix, sep, win32 } from 'node:path';

/** Where a program is looked for; this process's own unless told otherwise. */
export interface ProgramSearch {
  readonly environment?: NodeJS.ProcessEnv;
  readonly platform?: NodeJS.Platform;
  /** Folders whose programs are not ours to start, such as a workspace. */
  readonly outside?: readonly string[];
}

/**
 * The full path of a program along the PATH; undefined where there is none. A bare name is never handed
 * to the system: Windows looks into the current folder first, and a PATH may name folders relative to
 * it (`.`, `bin`, an empty entry), so that whoever made that folder would choose what runs.
 */
export function findProgram(name: string, search: ProgramSearch = {}): string | undefined {
  const { environment = process.env, platform = process.platform, outside = [] } = search;
  const file = platform === 'win32' ? `${name}.exe` : name;
  const avoided = outside.map(realPath);
  return programFolders(environment, platform)
    .map(folder => pathsOf(platform).join(folder, file))
    .find(
      path => isProgram(path, platform) && !avoided.some(each => isBelow(realPath(path), each)),
    );
}

/** The folders of the PATH, without those that are relative to the current one. */
export function programFolders(
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): string[] {
  const value = Object.entries(environment).find(([name]) => isPath(name, platform))?.[1] ?? '';
  return value.split(pathsOf(platform).delimiter).filter(folder => isFixed(folder, platform));
}

/** An environment in which a program that is given by its name is the same one from any folder. */
export function fixedEnvironment(
  environment: NodeJS.ProcessEnv,
  platform: NodeJS.Platform = process.platform,
): NodeJS.ProcessEnv {
  const path = programFolders(environment, platform).join(pathsOf(platform).delimiter);
  const fixed = Object.entries(environment).map(
    ([name, value]) => [name, isPath(name, platform) ? path : value] as const,
  );
  // Windows looks into the current folder first, unless this is set.
  return { ...Object.fromEntries(fixed), NoDefaultCurrentDirectoryInExePath: '1' };
}

const pathsOf = (platform: NodeJS.Platform) => (platform === 'win32' ? win32 : posix);

const isPath = (name: string, platform: NodeJS.Platform): boolean =>
  platform === 'win32' ? name.toUpperCase() === 'PATH' : name === 'PATH';

/** Whether a folder is the same one from anywhere: on Windows `\tools` lies on the current drive. */
export const isFixed = (folder: string, platform: NodeJS.Platform): boolean =>
  platform === 'win32' ? /^([A-Za-z]:[\\/]|[\\/]{2}[^\\/])/.test(folder) : posix.isAbsolute(folder);

function isProgram(path: string, platform: NodeJS.Platform): boolean {
  try {
    if (!statSync(path).isFile()) return false;
    if (platform !== 'win32') accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not for us to start.
    return false;
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
