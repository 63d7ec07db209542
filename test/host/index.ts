import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'node:util';
import Mocha from 'mocha';

/**
 * Entry of the tests that run inside the real extension host (VS Code's `extensionTestsPath`): runs
 * every bundled suite beside it. Fails when a test does.
 */
export async function run(): Promise<void> {
  // The mark tells the runner outside these lines from the workbench's own.
  Mocha.reporters.Base.consoleLog = (...args: unknown[]) =>
    process.stdout.write(`[test] ${format(...args)}\n`);
  const mocha = new Mocha({ ui: 'tdd', color: false, timeout: 60_000, reporter: 'spec' });
  const folder = join(__dirname, 'suite');
  for (const name of readdirSync(folder).sort()) {
    if (name.endsWith('.cjs')) mocha.addFile(join(folder, name));
  }
  await new Promise<void>((resolve, reject) => {
    mocha.run(failures => {
      if (failures > 0) reject(new Error(`${failures} of the host tests failed`));
      else resolve();
    });
  });
}
