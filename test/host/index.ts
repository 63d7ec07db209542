import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format } from 'node:util';
import Mocha from 'mocha';

/**
 * Entry of the tests that run inside the real extension host (VS Code's `extensionTestsPath`): runs
 * every bundled suite in the folder beside it. Fails when a test does.
 */
export async function run(): Promise<void> {
  // The mark tells the runner outside these lines from the workbench's own.
  Mocha.reporters.Base.consoleLog = (...args: unknown[]) =>
    process.stdout.write(`[test] ${format(...args)}\n`);
  const mocha = new Mocha({ ui: 'tdd', color: false, timeout: 600_000, reporter: 'spec' });
  for (const path of readdirSync(__dirname, { recursive: true, encoding: 'utf8' }).sort()) {
    if (path.endsWith('.cjs') && dirname(path) !== '.') mocha.addFile(join(__dirname, path));
  }
  await new Promise<void>((resolve, reject) => {
    mocha.run(failures => {
      if (failures > 0) reject(new Error(`${failures} of the host tests failed`));
      else resolve();
    });
  });
}
