import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { UserError } from '../errors';
import { isFixed, programFolders } from '../programs';

/** npm as it is started: its own script, by a plain Node. */
export interface NpmProgram {
  readonly node: string;
  readonly script: string;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Finds npm beside the Node that runs us, then along the PATH with the Node that lies there. An editor
 * brings a Node without npm, so that it must be installed. Throws UserError where there is none.
 */
export function findNpm(
  environment: NodeJS.ProcessEnv = process.env,
  node = process.execPath,
  platform: NodeJS.Platform = process.platform,
): NpmProgram {
  const executable = platform === 'win32' ? 'node.exe' : 'node';
  // A Node that is given by its name alone is the one along the PATH.
  const folders = [dirname(node), ...programFolders(environment, platform)].filter(folder =>
    isFixed(folder, platform),
  );
  for (const folder of folders) {
    const beside = join(folder, executable);
    if (!existsSync(beside)) continue;
    const script = npmScripts(folder).find(each => existsSync(each));
    if (script !== undefined) {
      // Install scripts call `node` and mean the one beside npm.
      const PATH = [folder, ...folders.filter(each => each !== folder)].join(delimiter);
      return { node: beside, script, environment: { ...withoutPath(environment), PATH } };
    }
  }
  throw new UserError(
    'There is no npm beside Node or on the PATH, and engines are installed with it.',
    'Install Node.js 20.19 or later, which brings npm (nodejs.org), and try again.',
  );
}

/** Where npm's script lies for a folder of programs: Windows, Unix, and where `npm` links to. */
function npmScripts(folder: string): string[] {
  const module = join('node_modules', 'npm', 'bin', 'npm-cli.js');
  const link = join(folder, 'npm');
  const target = existsSync(link) ? realpathSync(link) : undefined;
  return [
    ...(target?.endsWith('.js') ? [target] : []),
    join(folder, module),
    join(folder, '..', 'lib', module),
  ];
}

const withoutPath = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => name.toUpperCase() !== 'PATH'));
