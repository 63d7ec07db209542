import { spawn } from 'node:child_process';

/** Which of the paths git ignores; none where there is no git or no repository. */
export function gitIgnored(folder: string, paths: readonly string[]): Promise<ReadonlySet<string>> {
  return new Promise(resolve => {
    const git = spawn('git', ['check-ignore', '-z', '--stdin'], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
    });
    let output = '';
    git.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    git.on('error', () => resolve(new Set()));
    git.on('close', () => resolve(new Set(output.split('\0').filter(Boolean))));
    // Git may end before it read everything, when the folder is no repository.
    git.stdin.on('error', () => undefined);
    git.stdin.end(paths.join('\0'));
  });
}
