import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UserError } from '../../errors';
import { findProgram } from '../../programs';
import { enumerated } from '../../remedy/enumerated';
import type { NpmProgram } from '../npm';

/** What compiles an addon. */
export interface Toolchain {
  /** Path of node-gyp's script, which drives the compiler. */
  readonly nodeGyp: string;
  /** Folder with Node's headers; absent where node-gyp must download them. */
  readonly nodeFolder?: string;
}

/**
 * Finds what an addon is compiled with: npm's own node-gyp, and on Linux what that needs. Elsewhere
 * node-gyp itself looks for a compiler. Throws one UserError with all that is missing.
 */
export function findToolchain(
  { node, script, environment }: NpmProgram,
  platform: NodeJS.Platform = process.platform,
): Toolchain {
  const nodeGyp = nodeGypScripts(script).find(path => existsSync(path));
  if (nodeGyp === undefined) {
    throw new UserError(
      'node-gyp is missing beside npm, and the addon is compiled with it.',
      'Install Node.js from nodejs.org, whose npm brings it (Debian, Ubuntu: apt-get install node-gyp).',
    );
  }
  const missing = platform === 'linux' ? missingTools(environment, platform) : [];
  if (missing.length > 0) {
    throw new UserError(
      `The addon of TensorFlow.js is compiled here, and this machine lacks ${enumerated(missing, 'and')}.`,
      compilerRemedy(platform),
    );
  }
  const nodeFolder = [node, realpathSync(node)]
    .map(path => join(dirname(path), '..'))
    .find(folder => existsSync(join(folder, 'include', 'node', 'node_api.h')));
  return { nodeGyp, ...(nodeFolder !== undefined && { nodeFolder }) };
}

/** How a person gets a compiler. */
export function compilerRemedy(platform: NodeJS.Platform): string {
  if (platform === 'darwin') return 'Install Xcode’s command line tools, then try again.';
  return platform === 'win32'
    ? 'Install Python 3 and the Visual Studio Build Tools with “Desktop development with C++”, then try again.'
    : 'Install them (Debian, Ubuntu: apt-get install build-essential python3; Fedora: dnf install gcc-c++ make python3), then try again.';
}

/** Where node-gyp lies for npm's script: within npm, or beside it as distributions do it. */
function nodeGypScripts(npm: string): string[] {
  const file = join('node-gyp', 'bin', 'node-gyp.js');
  const own = join(dirname(npm), '..');
  const beside = createRequire(npm).resolve.paths('node-gyp') ?? [];
  return [join(own, 'node_modules'), ...beside, join(own, '..')].map(folder => join(folder, file));
}

/** Programs that node-gyp needs, by what it calls them; a person may name others in the environment. */
function missingTools(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): string[] {
  const has = (...names: readonly string[]): boolean =>
    names.some(name => findProgram(name, { environment, platform }) !== undefined);
  const isNamed = (...variables: readonly string[]): boolean =>
    variables.some(name => Boolean(environment[name]));
  return [
    ...(isNamed('CXX') || has('g++') ? [] : ['a C++ compiler (g++)']),
    ...(isNamed('MAKE') || has('make') ? [] : ['make']),
    ...(isNamed('NODE_GYP_FORCE_PYTHON', 'npm_config_python', 'PYTHON') || has('python3', 'python')
      ? []
      : ['Python 3']),
  ];
}
