import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A repository whose own files ask git to run programs, and what ran so far. */
export interface PlantedGit {
  /** Names of the entries whose program ran, sorted. */
  ran(): string[];
  /** Removes what lies outside of the repository. */
  remove(): void;
}

/** Git as a person calls it here: no configuration but the repository's. */
const git = (folder: string, ...words: readonly string[]): string =>
  execFileSync('git', ['-C', folder, ...words], {
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'],
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@example.org',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@example.org',
      GIT_ALLOW_PROTOCOL: 'none',
    },
  });

/**
 * Makes a folder a repository that ignores `ignored/`, and writes into it every entry by which a
 * repository can have git run a program: each leaves a file of its own name outside of it. The folder
 * `nested` becomes a repository of its own with such entries, and `linked` one whose `.git` is a file
 * that names a folder elsewhere.
 */
export function plantGit(folder: string): PlantedGit {
  const outside = mkdtempSync(join(tmpdir(), 'ligo-planted-'));
  const marks = join(outside, 'marks');
  mkdirSync(marks);
  /** A program that leaves a mark. */
  const program = (name: string): string => {
    const path = join(outside, name);
    writeFileSync(path, `#!/bin/sh\n: > '${join(marks, name)}'\nexit 1\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const plant = (at: string, prefix: string): void => {
    mkdirSync(at, { recursive: true });
    git(at, 'init', '--quiet');
    writeFileSync(join(at, '.gitignore'), 'ignored/\n');
    // Git asks the repository's remote for a file that it does not have.
    mkdirSync(join(at, 'lazy'), { recursive: true });
    writeFileSync(join(at, 'lazy', '.gitignore'), `nothing-${prefix}\n`);
    git(at, 'add', '.gitignore', 'lazy/.gitignore');
    git(at, 'commit', '--quiet', '--message', 'first');
    const blob = git(at, 'rev-parse', ':lazy/.gitignore').trim();
    git(at, 'update-index', '--skip-worktree', 'lazy/.gitignore');
    rmSync(join(at, 'lazy', '.gitignore'));
    rmSync(join(at, '.git', 'objects', blob.slice(0, 2), blob.slice(2)), { force: true });

    const hooks = join(outside, `${prefix}-hooks`);
    mkdirSync(hooks);
    for (const hook of ['post-index-change', 'reference-transaction', 'fsmonitor-watchman']) {
      const path = program(`${prefix}-hook-${hook}`);
      writeFileSync(join(hooks, hook), `#!/bin/sh\nexec '${path}'\n`);
      chmodSync(join(hooks, hook), 0o755);
    }
    const runs = (entry: string): string => program(`${prefix}-${entry.replaceAll(/[.*]/g, '-')}`);
    const entry = (name: string): string => `${name.split('.').at(-1)} = ${runs(name)}`;
    const included = join(at, '.git', 'more-config');
    writeFileSync(included, `[core]\n\t${entry('core.fsmonitor')}\n`);
    writeFileSync(join(at, '.git', 'config.worktree'), `[core]\n\t${entry('core.fsmonitor')}\n`);
    writeFileSync(join(at, '.git', 'attributes'), '* filter=mark diff=mark merge=mark\n');
    writeFileSync(join(at, '.gitattributes'), '* filter=mark diff=mark merge=mark\n');
    writeFileSync(
      join(at, '.git', 'config'),
      `[core]
	repositoryformatversion = 1
	${entry('core.fsmonitor')}
	${entry('core.sshCommand')}
	${entry('core.pager')}
	${entry('core.editor')}
	${entry('core.askPass')}
	${entry('core.gitProxy')}
	${entry('core.alternateRefsCommand')}
	hooksPath = ${hooks}
	attributesFile = ${join(at, '.git', 'attributes')}
[extensions]
	worktreeConfig = true
	partialClone = far
[include]
	path = ${included}
[pager]
	check-ignore = ${runs('pager.check-ignore')}
[alias]
	check-ignore = !${runs('alias.check-ignore')}
[filter "mark"]
	${entry('filter.mark.process')}
	${entry('filter.mark.clean')}
	${entry('filter.mark.smudge')}
	required = true
[diff]
	${entry('diff.external')}
[diff "mark"]
	${entry('diff.mark.textconv')}
	${entry('diff.mark.command')}
[merge "mark"]
	${entry('merge.mark.driver')}
[gpg]
	${entry('gpg.program')}
[credential]
	${entry('credential.helper')}
[protocol]
	allow = always
[protocol "ext"]
	allow = always
[remote "far"]
	url = ext::${runs('remote.far.url')}
	promisor = true
	partialclonefilter = blob:none
	${entry('remote.far.uploadpack')}
`,
    );
  };
  plant(folder, 'top');
  plant(join(folder, 'nested'), 'nested');
  const linked = join(folder, 'linked');
  plant(linked, 'linked');
  const elsewhere = join(outside, 'linked.git');
  execFileSync('mv', [join(linked, '.git'), elsewhere]);
  writeFileSync(join(linked, '.git'), `gitdir: ${elsewhere}\n`);
  return {
    ran: () => (existsSync(marks) ? readdirSync(marks).sort() : []),
    remove: () => rmSync(outside, { recursive: true, force: true, maxRetries: 5 }),
  };
}
