// Runs every test file below test/<level> with Node's own test runner: node scripts/test.mjs unit [name filter]
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [level = 'unit', filter = ''] = process.argv.slice(2);
const root = fileURLToPath(new URL('..', import.meta.url));
const files = readdirSync(`${root}test/${level}`, { recursive: true })
  .filter(name => name.endsWith('.test.ts') && name.includes(filter))
  .map(name => `test/${level}/${name}`)
  .sort();
if (files.length === 0) {
  console.error(`No test file in test/${level} matches "${filter}".`);
  process.exit(1);
}
// A whole editor fills two cores: such tests run one after another.
const concurrency = level === 'host' || level === 'e2e' ? 1 : 2;
const run = spawnSync(
  process.execPath,
  [
    '--import',
    'tsx',
    '--test',
    `--test-concurrency=${concurrency}`,
    '--test-reporter=spec',
    ...files,
  ],
  { cwd: root, stdio: 'inherit' },
);
process.exit(run.status ?? 1);
