import { spawn } from 'node:child_process';
import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { UserError } from '../../errors';
import { findProgram } from '../../programs';

/** How git is asked. */
export interface GitOptions {
  readonly environment?: NodeJS.ProcessEnv;
  /** Milliseconds after which git is ended. */
  readonly patience?: number;
}

/** Milliseconds for all repositories of a folder: a `.gitignore` may be a pipe that nobody writes to. */
const usualPatience = 10_000;

/**
 * Overrides of what a repository's own configuration could have git run while it tells what is ignored:
 * its monitor of files, and hooks of the fetch for objects that a partial clone lacks. A folder that
 * only looks like a bare repository is none.
 */
const overrides = [
  ...['-c', 'core.fsmonitor='],
  ...['-c', 'core.hooksPath=/dev/null'],
  ...['-c', 'protocol.allow=never'],
  ...['-c', 'safe.bareRepository=explicit'],
];

/**
 * Which of the paths git ignores in a folder that is trusted; none where there is no git or no
 * repository. Each is asked of the repository that holds it, in which no program runs and nothing is
 * fetched or written, and git itself never comes from the folder. Paths that lie elsewhere, also by a
 * link, are nobody's here.
 * @throws UserError when git does not answer in time
 */
export async function gitIgnored(
  folder: string,
  paths: readonly string[],
  { environment = process.env, patience = usualPatience }: GitOptions = {},
): Promise<ReadonlySet<string>> {
  const git = findProgram('git', { environment, outside: [folder] });
  if (git === undefined) return new Set();
  const places = await placesOf(folder, paths);
  const questions = new Map<string, Set<string>>();
  for (const { repository, path } of [...places.values()].flat()) {
    const asked = questions.get(repository) ?? new Set();
    questions.set(repository, asked.add(path));
  }
  const signal = AbortSignal.timeout(patience);
  const ignored = new Set<string>();
  for (const [repository, asked] of questions) {
    const answer = await ask(git, repository, [...asked], { environment, signal });
    if (signal.aborted) throw tooSlow(repository);
    for (const path of answer) ignored.add(path);
  }
  return new Set(
    paths.filter(path => places.get(path)?.some(place => ignored.has(place.path)) ?? false),
  );
}

/** A path, or the root of a repository in another, and the repository that may ignore it. */
interface Place {
  readonly repository: string;
  readonly path: string;
}

/** By path, who may ignore it: its repository, and those that this one lies in. */
async function placesOf(folder: string, paths: readonly string[]): Promise<Map<string, Place[]>> {
  const root = await realpath(folder);
  const folders = new Map<string, Promise<string | undefined>>();
  const repositories = new Map<string, Promise<boolean>>();
  const isRepository = (each: string): Promise<boolean> =>
    remember(repositories, each, () => exists(join(each, '.git')));
  const places = new Map<string, Place[]>();
  for (const path of paths) {
    const real = await remember(folders, dirname(path), () =>
      realpath(dirname(path)).catch(() => undefined),
    );
    if (real === undefined || !`${real}${sep}`.startsWith(withEnd(root))) continue;
    const found: Place[] = [];
    let inside = join(real, basename(path));
    for (let each = real; ; each = dirname(each)) {
      // What lies above the folder is git's to find.
      if (each === root || (await isRepository(each))) {
        found.push({ repository: each, path: inside });
        inside = each;
      }
      if (each === root) break;
    }
    places.set(path, found);
  }
  return places;
}

const withEnd = (folder: string): string => (folder.endsWith(sep) ? folder : folder + sep);

function remember<T>(known: Map<string, Promise<T>>, key: string, find: () => Promise<T>) {
  const found = known.get(key) ?? find();
  known.set(key, found);
  return found;
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );

/** What git prints of those paths in one repository that it ignores. */
function ask(
  git: string,
  repository: string,
  paths: readonly string[],
  { environment, signal }: { environment: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<readonly string[]> {
  return new Promise(resolve => {
    const child = spawn(
      git,
      ['--no-pager', '-C', repository, ...overrides, 'check-ignore', '-z', '--stdin'],
      {
        // Not the repository: Windows loads libraries from there.
        cwd: dirname(git),
        env: gitEnvironment(environment),
        stdio: ['pipe', 'pipe', 'ignore'],
        windowsHide: true,
        signal,
        killSignal: 'SIGKILL',
      },
    );
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.on('error', () => resolve([]));
    child.on('close', () => resolve(output.split('\0').filter(Boolean)));
    // Git may end before it read everything, when the folder is no repository.
    child.stdin.on('error', () => undefined);
    child.stdin.end(paths.join('\0'));
  });
}

/** Without what steers git, and with what keeps it from locks, questions and other machines. */
const gitEnvironment = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^(GIT_|SSH_ASKPASS)/i.test(name)),
  ),
  GIT_OPTIONAL_LOCKS: '0',
  GIT_TERMINAL_PROMPT: '0',
  GIT_NO_LAZY_FETCH: '1',
  GIT_ALLOW_PROTOCOL: 'none',
});

const tooSlow = (repository: string): UserError =>
  new UserError(
    `Git does not tell in time what it ignores in ${repository}.`,
    'All checkpoints there are shown.',
  );
