import { dirname, join } from 'node:path';
import { UserError } from '../../errors';
import { fixedEnvironment } from '../../programs';
import { makeRoom } from '../folder';
import type { NpmProgram } from '../npm';
import { runProgram } from '../runProgram';
import { compilerRemedy, type Toolchain } from './toolchain';

/** How an addon is compiled. */
export interface Compilation {
  /** The folder of the package whose addon it is. */
  readonly folder: string;
  /** Where the addon goes. */
  readonly addon: string;
  /** The version of Node's interface for addons. */
  readonly interfaceVersion: number;
  readonly npm: NpmProgram;
  readonly tools: Toolchain;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

/** Compiles a package's addon with node-gyp. Throws UserError with what the compiler lacks or says. */
export async function compileAddon(compilation: Compilation): Promise<void> {
  const { folder, addon, interfaceVersion, npm, tools, signal, onLine } = compilation;
  const { nodeGyp, nodeFolder } = tools;
  if (nodeFolder === undefined) onLine("Node's headers are not here: node-gyp downloads them.");
  const ended = await runProgram({
    node: npm.node,
    script: nodeGyp,
    words: [
      'rebuild',
      // What it downloads goes away with the folder of the build.
      `--devdir=${join(folder, 'build-headers')}`,
      ...(nodeFolder === undefined ? [] : [`--nodedir=${nodeFolder}`]),
      '--module_name=tfjs_binding',
      `--module_path=${dirname(addon)}`,
      `--module=${addon}`,
      `--napi_version=${interfaceVersion}`,
      `--napi_build_version=${interfaceVersion}`,
      `--node_napi_label=napi-v${interfaceVersion}`,
    ],
    folder,
    environment: { ...fixedEnvironment(npm.environment), ...besideTheAddon },
    signal,
    onLine,
  });
  if (!signal.aborted && ended.code !== 0) throw explainCompilation(ended.lines, process.platform);
}

/** On macOS the package's build rewrites only the name of the C library; a wheel's is found by this. */
const besideTheAddon: NodeJS.ProcessEnv =
  process.platform === 'darwin' ? { LDFLAGS: '-Wl,-rpath,@loader_path/../../deps/lib' } : {};

/** Why node-gyp failed, out of what it printed. */
export function explainCompilation(lines: readonly string[], platform: NodeJS.Platform): UserError {
  const text = lines.join('\n');
  const failed = 'The addon of TensorFlow.js could not be compiled';
  if (/ENOSPC|No space left on device/.test(text)) {
    return new UserError(`${failed}: the disk is full.`, makeRoom);
  }
  if (/No Xcode or CLT|xcode-select|find VS|Visual Studio|find Python/i.test(text)) {
    return new UserError(`${failed}: there is no compiler.`, compilerRemedy(platform));
  }
  const headers = /(https?:\/\/\S+headers\S*)/.exec(text)?.[1];
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET/.test(text)) {
    return new UserError(
      `${failed}: Node's headers are missing and could not be downloaded${headers === undefined ? '' : ` (${headers})`}.`,
      'Install Node.js from nodejs.org, whose archives bring them (Debian, Ubuntu: apt-get install libnode-dev), or set npm_config_nodedir to the folder that has include/node in it.',
    );
  }
  const said =
    lines.find(line => /\berror:|: undefined reference|cannot find -l/.test(line)) ??
    lines.findLast(line => /^gyp ERR! (stack )?(Error|.*not found)/i.test(line)) ??
    lines.findLast(line => line.trim() !== '');
  return new UserError(
    `${failed}${said === undefined ? '' : `: ${said.trim()}`}.`,
    'Update the compiler (it needs C++17), or take another version of TensorFlow.',
  );
}
