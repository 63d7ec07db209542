// Runs every test file below test/<level> with Node's own test runner: node scripts/test.mjs unit [name filter]
// The level "engines" runs the golden tests again on one engine: node scripts/test.mjs engines webgpu
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [level = 'unit', filter = ''] = process.argv.slice(2);
const root = fileURLToPath(new URL('..', import.meta.url));

/** Every operator, every model's goldens, the released code's numbers, and how state is kept. */
const goldenTests = [
  'test/unit/architecture/golden.test.ts',
  'test/unit/engine/executable.test.ts',
  'test/unit/graph/operators.test.ts',
  'test/unit/growth/releasedCode.test.ts',
  'test/unit/training/goldens.test.ts',
];

const filesOf = name =>
  readdirSync(`${root}test/${name}`, { recursive: true })
    .filter(file => file.endsWith('.test.ts') && file.includes(filter))
    .map(file => `test/${name}/${file}`)
    .sort();

const files = level === 'engines' ? goldenTests : filesOf(level);
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
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...(level === 'engines' && { LIGO_TEST_ENGINE: filter }) },
  },
);
process.exit(run.status ?? 1);
