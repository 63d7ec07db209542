import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { editorPaths, repository } from './installation';
import { endSession, freePort, killSession, sessionVariable } from './processes';
import { quietSettings } from './settings';

/** How an editor for a test differs from the usual one. */
export interface ServerOptions {
  /**
   * How the extension comes in: `link` puts the repository into the profile, `none` leaves it out
   * (tests in the extension host name it themselves), a path is a VSIX to install.
   */
  readonly extension?: 'link' | 'none' | { readonly vsix: string };
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Ask whether the workspace is trusted, as a person's editor does. Default false: all is trusted. */
  readonly asksForTrust?: boolean;
  /** Opens the doors that tests inside the extension host need; suppresses toasts. */
  readonly hostTests?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What a process of the editor wrote down about itself: see watchProcess.mjs. */
export interface WatchedFacts {
  /** Connections of any process of the editor that left the machine. */
  readonly connections: readonly { readonly host: string }[];
  /** Times the extension host's event loop stood still, milliseconds; `busy` is its own work in them. */
  readonly blocked: readonly {
    readonly time: number;
    readonly blocked: number;
    readonly busy: number;
  }[];
}

/** A running VS Code server with a profile of its own. */
export interface EditorServer {
  readonly url: string;
  readonly port: number;
  /** Folder of the profile; removed by `stop`. */
  readonly profile: string;
  /** The mark that all its processes carry. */
  readonly session: string;
  facts(): WatchedFacts;
  /** What the server printed. */
  log(): string;
  /** Ends every process of the editor, detached ones too. */
  stop(): Promise<void>;
}

/** What the manifest names as the extension's own code. */
const builtExtension = join(repository, 'dist', 'extension.cjs');

/** Starts a real VS Code server on a free loopback port. */
export async function startServer(options: ServerOptions = {}): Promise<EditorServer> {
  const { node, server: entry } = editorPaths();
  // A short path: sockets are made below it, and their names may not exceed 107 characters.
  const profile = mkdtempSync(join(tmpdir(), 'ligo-e-'));
  const environment = prepareProfile(profile, options);
  const directories = [
    ['--user-data-dir', join(profile, 'user')],
    ['--server-data-dir', join(profile, 'server')],
    ['--extensions-dir', join(profile, 'extensions')],
  ].flat();
  const extension = options.extension ?? 'link';
  if (extension === 'link' && !existsSync(builtExtension)) {
    throw new Error(`${builtExtension} is not there: run "node scripts/build.mjs".`);
  }
  if (typeof extension === 'object') installVsix(extension.vsix);
  const port = await freePort();
  const logFile = join(profile, 'server.log');
  const logHandle = openSync(logFile, 'w');
  const child = spawn(
    node,
    [
      // The server hands its own options on to the extension host, which hands this one on to workers.
      ...['--import', join(import.meta.dirname, 'watchProcess.mjs'), entry],
      ...directories,
      ...['--host', '127.0.0.1', '--port', String(port)],
      ...['--without-connection-token', '--accept-server-license-terms', '--disable-telemetry'],
      ...(options.asksForTrust ? [] : ['--disable-workspace-trust']),
      ...(options.hostTests ? ['--enable-smoke-test-driver'] : []),
    ],
    { env: environment, stdio: ['ignore', logHandle, logHandle] },
  );
  const killAll = (): void => killSession(profile);
  process.once('exit', killAll);
  const started: EditorServer = {
    url: `http://127.0.0.1:${port}`,
    port,
    profile,
    session: profile,
    facts: () => ({
      connections: readLines(join(profile, 'connections.jsonl')),
      blocked: readLines(join(profile, 'blocked.jsonl')),
    }),
    log: () => readFileSync(logFile, 'utf8'),
    async stop() {
      await endSession(profile, child);
      process.removeListener('exit', killAll);
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  await isUp(started, child);
  return started;

  function installVsix(vsix: string): void {
    const result = spawnSync(node, [entry, ...directories, '--install-extension', vsix], {
      env: environment,
      encoding: 'utf8',
    });
    if (result.status !== 0)
      throw new Error(`VSIX not installed: ${result.stdout}${result.stderr}`);
  }
}

/** Lays out a profile and returns the environment that keeps everything inside it. */
function prepareProfile(profile: string, options: ServerOptions): NodeJS.ProcessEnv {
  for (const name of ['user/User', 'extensions', 'runtime']) {
    mkdirSync(join(profile, name), { recursive: true });
  }
  const settings = JSON.stringify({
    ...quietSettings,
    ...(options.asksForTrust ? { 'security.workspace.trust.startupPrompt': 'always' } : {}),
    ...options.settings,
  });
  writeFileSync(join(profile, 'user/User/settings.json'), settings);
  if ((options.extension ?? 'link') === 'link') {
    symlinkSync(
      process.env['LIGO_EXTENSION'] ?? repository,
      join(profile, 'extensions', 'ligo-grow.ligo-grow-0.1.0'),
    );
  }
  return {
    ...process.env,
    HOME: profile,
    XDG_RUNTIME_DIR: join(profile, 'runtime'),
    XDG_CONFIG_HOME: join(profile, 'config'),
    XDG_DATA_HOME: join(profile, 'data'),
    EXTENSIONS_GALLERY: JSON.stringify({ serviceUrl: '' }),
    LIGO_TEST_WATCH: profile,
    [sessionVariable]: profile,
    ...options.environment,
  };
}

async function isUp(server: EditorServer, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (Date.now() < deadline && child.exitCode === null) {
    const answer = await fetch(`${server.url}/version`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(100);
  }
  const log = server.log();
  await server.stop();
  throw new Error(`The VS Code server did not come up.\n${log}`);
}

const readLines = <T>(file: string): T[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as T)
    : [];
