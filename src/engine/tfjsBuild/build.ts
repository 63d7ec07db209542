import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UnsupportedError, UserError } from '../../errors';
import { explainReadError } from '../../files';
import { formatBytes } from '../../format';
import type { OptionalEngine } from '../../protocol/engines';
import type { TestedEngine } from '../found';
import { formatMilliseconds } from '../../protocol/engineText';
import { missingCudaLibraries, tensorFlowLibraries } from '../cudaLibraries';
import { enginePackages } from '../folder';
import type { NpmProgram } from '../npm';
import { placeLibrary } from '../tfjs/native';
import { addonPlace, builtWithFile, type BuiltWith } from '../tfjs/packages';
import { compileAddon } from './compile';
import { openLibraryFolder } from './libraryFolder';
import { versionOfLoaded } from './load';
import { libraryNames, requireParts } from './places';
import { checkVersion, requireCuda, requirePlatform, thisSystem } from './suits';
import { requireRoom, takeOut } from './takeOut';
import type { TensorFlow } from './tensorFlow';
import { findToolchain, type Toolchain } from './toolchain';
import { openWheel } from './wheel';

/** An addon that is to be built with a TensorFlow that a person has. */
export interface AddonBuild extends AsyncDisposable {
  /**
   * Takes TensorFlow out, compiles the addon of the package that npm has put below `place`, and loads
   * it in a process of its own. @throws UserError
   */
  make(place: string, signal: AbortSignal): Promise<void>;
}

/** What a build works with. */
export interface BuildParts {
  /** Folder of all optional engines, which exists. */
  readonly folder: string;
  readonly npm: NpmProgram;
  readonly onLine: (line: string) => void;
}

/**
 * Checks all that a build needs before anything is downloaded or written: the parts and the version of
 * TensorFlow, the system and the CUDA it is for, a compiler, and room on the disk.
 * @param path a wheel, or a folder with the C library
 * @throws UserError with what is missing
 */
export async function prepareBuild(
  engine: OptionalEngine,
  path: string,
  { folder, npm, onLine }: BuildParts,
): Promise<AddonBuild> {
  if (engine === 'cuda') {
    throw new UnsupportedError(
      'ONNX Runtime is not built with TensorFlow.',
      'Build tfjs-node or tfjs-gpu with it.',
    );
  }
  const tensorFlow = await openTensorFlow(path);
  try {
    const library = await requireSuitable(engine, tensorFlow, onLine);
    const tools = findToolchain(npm);
    await requireRoom(tensorFlow, folder);
    const { name, files } = tensorFlow;
    const bytes = formatBytes(files.reduce((sum, each) => sum + each.bytes, 0));
    onLine(`${name}: ${bytes} of TensorFlow${ofVersion(tensorFlow.version)} are taken from it.`);
    onLine('It holds native code, which is loaded and run: build only what you trust.');
    const given = { engine, npm, onLine, tensorFlow, library, tools };
    return {
      make: (place, signal) => make(given, place, signal),
      [Symbol.asyncDispose]: () => tensorFlow[Symbol.asyncDispose](),
    };
  } catch (error) {
    await tensorFlow[Symbol.asyncDispose]();
    throw error;
  }
}

const ofVersion = (version: string | undefined): string =>
  version === undefined ? '' : ` ${version}`;

async function openTensorFlow(path: string): Promise<TensorFlow> {
  const found = await stat(path).catch((error: unknown) => {
    throw explainReadError(error, path);
  });
  return found.isDirectory()
    ? openLibraryFolder(path, process.platform)
    : openWheel(path, process.platform);
}

/** Gives the name of the library with the C interface. */
async function requireSuitable(
  engine: OptionalEngine,
  tensorFlow: TensorFlow,
  onLine: (line: string) => void,
): Promise<string> {
  const { name, version, files, cuda } = tensorFlow;
  requirePlatform(tensorFlow, thisSystem());
  const unknown = version === undefined ? undefined : checkVersion(version);
  if (unknown !== undefined) onLine(unknown);
  const library = requireParts(name, files, process.platform);
  requireCuda(engine, tensorFlow);
  if (engine === 'tfjs-gpu' && cuda && process.platform === 'linux') {
    const missing = await missingCudaLibraries(tensorFlowLibraries(cuda));
    if (missing.length > 0) {
      throw new UserError(
        `${name} is built for CUDA ${cuda.cuda} and cuDNN ${cuda.cudnn}, and this machine lacks ${missing.join('; ')}.`,
        'Install them and put their folders on LD_LIBRARY_PATH (pip install "tensorflow[and-cuda]" brings them in site-packages/nvidia/*/lib).',
      );
    }
  }
  return library;
}

interface Given {
  readonly engine: Exclude<OptionalEngine, 'cuda'>;
  readonly npm: NpmProgram;
  readonly onLine: (line: string) => void;
  readonly tensorFlow: TensorFlow;
  readonly library: string;
  readonly tools: Toolchain;
}

async function make(given: Given, place: string, signal: AbortSignal): Promise<void> {
  const { engine, npm, onLine, tensorFlow, library, tools } = given;
  const folder = join(place, 'node_modules', enginePackages[engine].name);
  const dependencies = join(folder, 'deps');
  const { addon, interfaceVersion } = addonPlace(folder);
  // Of two libraries that could be linked to, the other one is not needed.
  const { main } = libraryNames(process.platform);
  const files = tensorFlow.files.filter(
    each => !main.some(other => other !== library && each.place === `lib/${other}`),
  );
  const platform = process.platform;
  await takeOut(files, { to: dependencies, platform, library, signal, onLine });
  onLine('Compiling the addon of TensorFlow.js …');
  await compileAddon({ folder, addon, interfaceVersion, npm, tools, signal, onLine });
  if (platform === 'win32') placeLibrary(addon, join(dependencies, 'lib', library));
  for (const made of ['build', 'build-headers', join('deps', 'include')]) {
    await rm(join(folder, made), { recursive: true, force: true });
  }
  const version = await versionOfLoaded(addon, signal);
  if (tensorFlow.version === undefined) {
    const unknown = checkVersion(version);
    if (unknown !== undefined) onLine(unknown);
  }
  const { name: from, cuda } = tensorFlow;
  const note: BuiltWith = { tensorFlow: version, from, ...(cuda && { cuda }) };
  await writeFile(join(folder, builtWithFile), `${JSON.stringify(note)}\n`);
  onLine(`TensorFlow ${version} loads; now its self test …`);
}

/**
 * Takes an engine that was built only when it computes as the CPU does. Throws UserError.
 * @returns one line that tells how it did
 */
export function requireAgreement(title: string, result: TestedEngine): string {
  if (result.outcome === 'agrees') {
    return `It computes as the CPU does, on ${result.device}: ${formatMilliseconds(result.secondsPerStep)} a step.`;
  }
  const built = `${title} was built, but is not installed, for its self test failed`;
  if (result.outcome === 'failed')
    throw new UserError(`${built}: ${result.message}`, result.remedy);
  throw new UserError(
    `${built}: its losses differ from the CPU's by ${result.difference.toExponential(1)}.`,
    'Take another version of TensorFlow, or another engine.',
  );
}
