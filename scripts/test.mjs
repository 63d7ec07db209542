// Runs every test file below test/<level> with Node's own test runner:
//   node scripts/test.mjs unit [name filter]
// The level "engines" runs the golden tests, and those below test/engines, on other engines than the
// CPU, which `unit` has:
//   node scripts/test.mjs engines [webgpu | tfjs-cpu | tfjs-wasm | tfjs-node | cpu]
// The level "tensorflow" has pip fetch a wheel of TensorFlow, builds TensorFlow.js with it, and runs the
// golden tests on that:
//   [LIGO_TEST_TENSORFLOW=required | <wheel>] node scripts/test.mjs tensorflow
// The level "slurm" hands runs to a Slurm of its own on this machine, which only root can start. With
// LIGO_TEST_SLURM=install it is installed first (Debian), with LIGO_TEST_SLURM=required it must be there:
//   node scripts/test.mjs slurm
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { softwareAdapter } from './softwareAdapter.mjs';
import { tensorFlowFolder, tensorFlowWheel } from './tensorFlowWheel.mjs';

const [level = 'unit', filter = ''] = process.argv.slice(2);
const root = fileURLToPath(new URL('..', import.meta.url));

/** Every operator, every model's goldens, the released code's numbers, and how state is kept. */
const goldenTests = [
  'test/unit/architecture/golden.test.ts',
  'test/unit/engine/executable.test.ts',
  'test/unit/graph/operators.test.ts',
  'test/unit/growth/releasedCode.test.ts',
  'test/unit/training/goldens.test.ts',
  'test/unit/training/labelGoldens.test.ts',
];

const filesOf = name =>
  readdirSync(`${root}test/${name}`, { recursive: true })
    .filter(file => file.endsWith('.test.ts'))
    .map(file => `test/${name}/${file}`)
    .sort();

function run(files, environment = {}) {
  // A whole editor fills two cores: such tests run one after another.
  const concurrency = ['host', 'e2e', 'slurm'].includes(level) ? 1 : 2;
  const { status } = spawnSync(
    process.execPath,
    [
      '--import',
      'tsx',
      '--test',
      `--test-concurrency=${concurrency}`,
      '--test-reporter=spec',
      ...files,
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment } },
  );
  return status ?? 1;
}

/** Golden tests and those of the engine, whose files begin with its name or with "every". */
function runEngine(engine, more = {}) {
  const adapter = engine === 'webgpu' ? softwareAdapter() : {};
  if (!adapter && process.env.LIGO_TEST_ADAPTER !== 'own') {
    console.log(
      'WebGPU was not tested: there is no software adapter (Debian: apt-get install chromium). ' +
        'With a graphics card, set LIGO_TEST_ADAPTER=own to test on it.',
    );
    return process.env.LIGO_TEST_ADAPTER === 'required' ? 1 : 0;
  }
  console.log(`\nThe golden tests on ${engine}`);
  const own = filesOf('engines').filter(file => {
    const [name] = file.split('/').at(-1).split('.');
    return name.startsWith('every') || name.startsWith(engine);
  });
  const environment = process.env.LIGO_TEST_ADAPTER === 'own' ? {} : adapter;
  return run([...goldenTests, ...own], { ...environment, ...more, LIGO_TEST_ENGINE: engine });
}

/** Builds TensorFlow.js with a wheel, as people do, and runs the golden tests on what was built. */
function runTensorFlow() {
  const { wheel, failure } = tensorFlowWheel();
  if (failure) {
    console.log(`Native TensorFlow was not tested: ${failure}`);
    return process.env.LIGO_TEST_TENSORFLOW === 'required' ? 1 : 0;
  }
  const built = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' });
  if (built.status !== 0) return 1;
  const status = run(filesOf('tensorflow'), { LIGO_TEST_TENSORFLOW: wheel });
  if (status !== 0) return status;
  return runEngine('tfjs-node', { LIGO_ENGINE_FOLDER: `${tensorFlowFolder}/engines` });
}

/** Whether a Slurm can be started here; says why not. */
function findSlurm() {
  const programs = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scontrol'];
  const { LIGO_TEST_SLURM: wanted, PATH } = process.env;
  const env = { ...process.env, PATH: `${PATH}:/usr/sbin` };
  const missing = () =>
    programs.filter(name => spawnSync(name, ['--version'], { env }).error !== undefined);
  const isRoot = process.getuid?.() === 0;
  if (isRoot && wanted === 'install' && missing().length > 0) {
    const packages = ['munge', 'slurm-client', 'slurmctld', 'slurmd'];
    const install = ['install', '-y', '--no-install-recommends', ...packages];
    spawnSync('apt-get', install, { stdio: 'inherit' });
  }
  const absent = missing();
  if (isRoot && absent.length === 0) return true;
  const why = isRoot
    ? `there is no ${absent.join(', ')} (Debian: LIGO_TEST_SLURM=install)`
    : 'only root can start one';
  console.log(`Slurm was not tested: ${why}.`);
  if (wanted !== undefined) process.exit(1);
  return false;
}

if (level === 'slurm' && !findSlurm()) process.exit(0);
if (level === 'tensorflow') process.exit(runTensorFlow());
if (level === 'engines') {
  const engines = filter === '' ? ['webgpu', 'tfjs-wasm', 'tfjs-cpu'] : [filter];
  const statuses = engines.map(runEngine);
  process.exit(statuses.find(status => status !== 0) ?? 0);
}
const files = filesOf(level).filter(name => name.slice(`test/${level}/`.length).includes(filter));
if (files.length === 0) {
  console.error(`No test file in test/${level} matches "${filter}".`);
  process.exit(1);
}
process.exit(run(files));
