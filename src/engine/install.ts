import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InterruptedError, UnsupportedError, UserError } from '../errors';
import type { OptionalEngine } from '../protocol/engines';
import type { TestedEngine } from './found';
import { engineTitles } from './reports';
import {
  cudaProvider,
  enginePackages,
  folderOf,
  isInstalled,
  makeRoom,
  unsupportedSystem,
} from './folder';
import type { NpmProgram } from './npm';
import { by, set } from '../remedy/actions';
import { advise } from '../remedy/remedy';
import { runProgram } from './runProgram';
import { prepareBuild, requireAgreement, type AddonBuild } from './tfjsBuild/build';

/** How an engine is installed. */
export interface InstallOptions {
  /** Folder of all optional engines. */
  readonly folder: string;
  readonly npm: NpmProgram;
  readonly signal: AbortSignal;
  /** Told what npm prints, line by line. */
  readonly onLine: (line: string) => void;
  /** A TensorFlow to build TensorFlow.js with, in place of the one that its package downloads. */
  readonly tensorFlow?: OwnTensorFlow;
}

/** A TensorFlow that a person has, and how what was built with it is tested. */
export interface OwnTensorFlow {
  /** A wheel, or a folder with the C library. */
  readonly path: string;
  /** Tests an engine that lies in a folder of engines, in a process of its own. */
  readonly test: (
    engine: OptionalEngine,
    folder: string,
    signal: AbortSignal,
  ) => Promise<TestedEngine>;
}

/**
 * Installs an optional engine into its folder, in place of an earlier installation. A folder is whole
 * or absent: npm and a compiler work beside it, and what they made is renamed when nothing is missing.
 * Throws UserError with what could not be had, and InterruptedError when it was cancelled.
 */
export async function installEngine(
  engine: OptionalEngine,
  options: InstallOptions,
): Promise<void> {
  const { folder, signal } = options;
  requireSystem(engine);
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new UserError(
      `${folder} cannot be written to: ${error instanceof Error ? error.message : String(error)}`,
      advise`Name a folder of yours${by('engineFolder')}.`,
      { cause: error },
    );
  });
  const place = folderOf(engine, folder);
  await using build = await buildOf(engine, options);
  // A folder of engines with one in it, so that it is tested before it takes its place.
  const fresh = await mkdtemp(join(folder, `.${engine}-`));
  try {
    const made = folderOf(engine, fresh);
    await install(engine, made, build !== undefined, options);
    await build?.make(made, signal);
    const missing = await missingPart(engine, made);
    if (missing !== undefined) throw notWhole(engine, missing);
    if (options.tensorFlow) {
      const result = await options.tensorFlow.test(engine, fresh, signal);
      options.onLine(requireAgreement(engineTitles[engine], result));
    }
    signal.throwIfAborted();
    await rm(place, { recursive: true, force: true });
    await rename(made, place);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new InterruptedError(
      'The installation was cancelled; nothing was left behind.',
      'Start it again.',
    );
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  if (!isInstalled(engine, folder)) throw new Error(`${place} does not hold ${engine}`);
}

function requireSystem(engine: OptionalEngine): void {
  const elsewhere = unsupportedSystem(engine, {
    platform: process.platform,
    architecture: process.arch,
  });
  if (elsewhere === undefined) return;
  throw new UnsupportedError(
    `${engineTitles[engine]} ${elsewhere}.`,
    advise`WebGPU needs no installation: ${set('engine', 'webgpu')}.`,
  );
}

async function buildOf(
  engine: OptionalEngine,
  { tensorFlow, folder, npm, onLine }: InstallOptions,
): Promise<AddonBuild | undefined> {
  return tensorFlow && prepareBuild(engine, tensorFlow.path, { folder, npm, onLine });
}

/** Has npm install an engine's package into a folder; without its scripts where they are not wanted. */
async function install(
  engine: OptionalEngine,
  folder: string,
  ignoresScripts: boolean,
  { npm, signal, onLine }: InstallOptions,
): Promise<void> {
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const { name, version } = enginePackages[engine];
  const scripts = ignoresScripts ? '--ignore-scripts' : '--foreground-scripts';
  const words = ['install', '--no-audit', '--no-fund', '--save-exact', scripts];
  const variables = engine === 'cuda' ? { ONNXRUNTIME_NODE_INSTALL: 'cuda12' } : {};
  const ended = await runProgram({
    node: npm.node,
    script: npm.script,
    words: [...words, `${name}@${version}`],
    folder,
    environment: { ...npmEnvironment(npm.environment), ...variables },
    signal,
    onLine,
  });
  signal.throwIfAborted();
  if (ended.code !== 0) throw explainFailure(engine, ended.lines);
}

/** Without what an npm that runs us would hand on to the npm that we run. */
const npmEnvironment = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) =>
        !/^npm_(package_|lifecycle_|command$|config_((local|global)_prefix|onnxruntime.*)$)/i.test(
          name,
        ),
    ),
  );

/** The part whose download failed without npm noticing. */
async function missingPart(engine: OptionalEngine, folder: string): Promise<string | undefined> {
  const { name } = enginePackages[engine];
  const root = join(folder, 'node_modules', name);
  if (!existsSync(join(root, 'package.json'))) return name;
  if (engine === 'cuda') {
    return existsSync(join(root, cudaProvider)) ? undefined : basename(cudaProvider);
  }
  const { installedTfjs } = await import('./tfjs/packages');
  const found = installedTfjs(folder).find(each => each.name === name);
  if (found?.addon === undefined) return 'its addon (tfjs_binding.node)';
  return found.library === undefined ? "TensorFlow's library" : undefined;
}

const notWhole = (engine: OptionalEngine, missing: string): UserError =>
  new UserError(
    `${engineTitles[engine]} was not installed: npm ended without an error, but ${missing} is not there.`,
    'Allow downloads by install scripts (npm config get ignore-scripts), then try again.',
  );

/** What could not be had, out of what npm printed. */
function explainFailure(engine: OptionalEngine, lines: readonly string[]): UserError {
  const text = lines.join('\n');
  const title = engineTitles[engine];
  const { name, version } = enginePackages[engine];
  const host =
    /(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET)\s+([\w.-]+\.[a-z]{2,})/i.exec(
      text,
    )?.[1];
  const address = [...text.matchAll(/https?:\/\/[^\s'"<>]+/g)]
    .map(([url]) => url.replace(/[.,;:)]+$/, ''))
    .find(url =>
      host === undefined ? /\.(tar\.gz|zip|nupkg|tgz)$/.test(url) : url.includes(host),
    );
  const wanted =
    address ?? (host === undefined ? undefined : `a part of ${name}@${version} from ${host}`);
  if (/ENOSPC/.test(text)) {
    return new UserError(`${title} was not installed: the disk is full.`, makeRoom);
  }
  if (wanted !== undefined) {
    return new UserError(
      `${title} was not installed: ${wanted} could not be downloaded.`,
      'Allow this machine to reach it, or set HTTPS_PROXY, then try again. The other engines work without it.',
    );
  }
  const said = lines.findLast(line => /\berr(or)?\b/i.test(line) && !/log of this run/i.test(line));
  return new UserError(
    `${title} was not installed: npm failed${said === undefined ? '' : ` (${said.trim()})`}.`,
    `Try npm install ${name}@${version} by hand to see why. The other engines work without it.`,
  );
}
