// Where pip gives a wheel of TensorFlow for this machine: fetched into out/tensorflow, and kept there.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The newest version that TensorFlow.js's addon is known to be built with. */
const wanted = 'tensorflow-cpu==2.21.0';

/** Where tests of native TensorFlow keep their files. */
export const tensorFlowFolder = fileURLToPath(new URL('../out/tensorflow', import.meta.url));

/** The wheel's path, or why there is none. */
export function tensorFlowWheel() {
  const given = process.env.LIGO_TEST_TENSORFLOW;
  if (given && given !== 'required') return { wheel: given };
  const wheels = join(tensorFlowFolder, 'wheels');
  const found = () =>
    existsSync(wheels) ? readdirSync(wheels).find(name => name.endsWith('.whl')) : undefined;
  if (!found()) {
    const failure = download(wheels);
    if (failure) return { failure };
  }
  return { wheel: join(wheels, found()) };
}

/** Has pip fetch the wheel by a Python of its own; why that failed, where it did. */
function download(wheels) {
  mkdirSync(tensorFlowFolder, { recursive: true });
  const environment = join(tensorFlowFolder, 'python');
  const python = process.platform === 'win32' ? 'python' : 'python3';
  const made = spawnSync(python, ['-m', 'venv', environment], { encoding: 'utf8' });
  if (made.status !== 0) return `${python} -m venv failed: ${lastLine(made)}`;
  const folder = process.platform === 'win32' ? 'Scripts' : 'bin';
  const part = `${wheels}.part`;
  rmSync(part, { recursive: true, force: true });
  const words = ['-m', 'pip', 'download', '--disable-pip-version-check', '--no-deps', '-d', part];
  console.log(`Fetching ${wanted} …`);
  const fetched = spawnSync(join(environment, folder, 'python'), [...words, wanted], {
    encoding: 'utf8',
    timeout: 600_000,
  });
  if (fetched.status !== 0) return `pip has no ${wanted}: ${lastLine(fetched)}`;
  renameSync(part, wheels);
  return undefined;
}

const lastLine = ({ stdout, stderr, error }) =>
  `${stdout ?? ''}\n${stderr ?? ''}`.trim().split('\n').at(-1) || String(error);
