import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { OptionalEngine } from '../protocol/engines';
import { by } from '../remedy/actions';
import { advise } from '../remedy/remedy';

/** The packages of optional engines, at the versions they were tested with. */
export const enginePackages: Readonly<
  Record<OptionalEngine, { readonly name: string; readonly version: string }>
> = {
  cuda: { name: 'onnxruntime-node', version: '1.30.0' },
  'tfjs-gpu': { name: '@tensorflow/tfjs-node-gpu', version: '4.22.0' },
  'tfjs-node': { name: '@tensorflow/tfjs-node', version: '4.22.0' },
};

/** The TensorFlow that TensorFlow.js's packages download, and what it was built for. */
export const downloadedTensorFlow = { version: '2.9.1', cuda: '11.2', cudnn: '8.1' };

/** What helps where the disk of optional engines is full. */
export const makeRoom = advise`Make room, or name another folder${by('engineFolder')}.`;

/**
 * Where optional engines are installed: the folder that is given, else LIGO_ENGINE_FOLDER, else this
 * person's data folder. Never inside a project.
 */
export function engineFolder(
  given?: string,
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const named = given ?? environment['LIGO_ENGINE_FOLDER'];
  if (named) return resolve(named);
  return join(dataFolder(environment, platform), 'ligo-grow', 'engines');
}

function dataFolder(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): string {
  const home = homedir();
  if (platform === 'win32') return environment['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local');
  if (platform === 'darwin') return join(home, 'Library', 'Application Support');
  return environment['XDG_DATA_HOME'] || join(home, '.local', 'share');
}

/** Where the CUDA provider's library lies in its package: present only where it was asked for. */
export const cudaProvider = join('bin/napi-v6/linux/x64', 'libonnxruntime_providers_cuda.so');

/** The systems an optional engine's native parts exist for, for people; undefined for all. */
const systems: Readonly<Record<OptionalEngine, string | undefined>> = {
  cuda: 'Linux x64',
  'tfjs-gpu': 'Linux x64 and Windows x64',
  'tfjs-node': undefined,
};

/** Why an optional engine cannot be on a system: "is there for Linux x64 only". */
export function unsupportedSystem(
  engine: OptionalEngine,
  { platform, architecture }: { readonly platform: string; readonly architecture: string },
): string | undefined {
  const names: Readonly<Record<string, string>> = { linux: 'Linux', win32: 'Windows' };
  const supported = systems[engine];
  return supported === undefined || supported.includes(`${names[platform]} ${architecture}`)
    ? undefined
    : `is there for ${supported} only`;
}

/** The folder of one engine; its packages lie in `node_modules` below. */
export const folderOf = (engine: OptionalEngine, folder: string): string => join(folder, engine);

/** Whether an engine was installed. A folder is whole or absent, so looking for its package is enough. */
export const isInstalled = (engine: OptionalEngine, folder: string): boolean =>
  existsSync(
    join(folderOf(engine, folder), 'node_modules', enginePackages[engine].name, 'package.json'),
  );
