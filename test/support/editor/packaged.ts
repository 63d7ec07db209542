import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './installation';

/** Packages the extension as it is published, and returns the VSIX. */
export function packageExtension(): string {
  const started = Date.now();
  const result = spawnSync(process.execPath, ['scripts/package.mjs'], {
    cwd: repository,
    encoding: 'utf8',
  });
  assert.equal(result.status, 0, `${result.stdout}${result.stderr}`);
  const out = join(repository, 'out');
  const made = readdirSync(out)
    .filter(name => name.endsWith('.vsix'))
    .map(name => join(out, name))
    .find(path => statSync(path).mtimeMs >= started);
  assert.ok(made, 'no VSIX was written');
  return made;
}
