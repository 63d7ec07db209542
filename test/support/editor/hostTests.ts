import { build } from 'esbuild';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './installation';
import { startServer, type ServerOptions } from './server';
import { Workbench } from './workbench';

/** Starts each line of the test reporter, among all that a workbench logs: see test/host/index.ts. */
const testMark = '[test] ';
const outFolder = join(repository, 'out', 'host-tests');

/** Bundles the suites of a folder, which run inside the extension host; returns the entry. */
export async function bundleHostTests(folder: string, suite: string): Promise<string> {
  rmSync(outFolder, { recursive: true, force: true });
  const suites = readdirSync(join(folder, suite)).filter(name => name.endsWith('.ts'));
  await build({
    entryPoints: [join(folder, 'index.ts'), ...suites.map(name => join(folder, suite, name))],
    outbase: folder,
    outdir: outFolder,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    sourcemap: 'inline',
    logLevel: 'warning',
    external: ['vscode', 'mocha'],
  });
  return join(outFolder, 'index.cjs');
}

/** What came of the tests in the extension host. */
export interface HostTestResult {
  /** 0 when all passed. */
  readonly code: number;
  /** Everything that tests and workbench printed. */
  readonly log: readonly string[];
}

/** Runs bundled tests in the extension host of a real VS Code, and hands on each line as it comes. */
export async function runHostTests(
  entry: string,
  folder: string,
  print: (line: string) => void,
  options: ServerOptions & { readonly timeoutSeconds?: number } = {},
): Promise<HostTestResult> {
  const server = await startServer({ extension: 'none', hostTests: true, ...options });
  const log: string[] = [];
  let bench: Workbench | undefined;
  try {
    const remote = (path: string): string => `vscode-remote://127.0.0.1:${server.port}${path}`;
    const code = await new Promise<number>((resolve, reject) => {
      const limit = options.timeoutSeconds ?? 600;
      setTimeout(() => reject(new Error(`no end after ${limit} s`)), limit * 1000).unref();
      Workbench.open(server, {
        folder,
        screenshots: 'host-',
        payload: [
          ['extensionDevelopmentPath', remote(process.env['LIGO_EXTENSION'] ?? repository)],
          ['extensionTestsPath', remote(entry)],
          ['skipWelcome', 'true'],
        ],
        async prepare(page) {
          // The workbench calls these two when tests of an extension run in it.
          await page.exposeFunction('codeAutomationExit', resolve);
          await page.exposeFunction('codeAutomationLog', (_type: string, args: unknown[]) => {
            const line = formatLog(args);
            log.push(line);
            if (line.startsWith(testMark)) print(line.slice(testMark.length));
          });
        },
      }).then(opened => (bench = opened), reject);
    });
    return { code, log };
  } finally {
    await bench?.close();
    await server.stop();
  }
}

/** console.log's own placeholders, as far as mocha uses them. */
function formatLog(args: readonly unknown[]): string {
  const rest = [...args];
  const first = String(rest.shift() ?? '').replace(/%[sdifjoOc]/g, mark => {
    const value = rest.shift();
    return mark === '%c' ? '' : String(value ?? '');
  });
  return [first, ...rest.map(String)].join(' ').trimEnd();
}
