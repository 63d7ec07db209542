// Packs the extension for one platform, with only what runs there:
//   node scripts/package.mjs [--target=linux-x64]
// The native engine and image decoder of that platform go into the package; another platform's decoder
// is fetched from the npm registry. Reports sizes, and fails when the parts of ours grow too large.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Platforms that the engine is built for. */
const targets = ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64', 'win32-arm64'];
/** Bytes of the minified extension host bundle at most: it is loaded while the editor starts. */
const largestHostBundle = 250_000;
/** Bytes of everything but the native packages at most, packed. */
const largestOwnPart = 2_000_000;
/** Bytes of the example's text: enough to grow with. */
const exampleText = 700_000;

const target =
  process.argv.find(word => word.startsWith('--target='))?.slice('--target='.length) ?? 'linux-x64';
if (!targets.includes(target)) {
  console.error(`There is no engine for ${target}. Choose one of ${targets.join(', ')}.`);
  process.exit(2);
}
const [platform, architecture] = target.split('-');
const root = fileURLToPath(new URL('..', import.meta.url));
const stage = join(root, 'out', `package-${target}`);
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

rmSync(stage, { recursive: true, force: true });
mkdirSync(stage, { recursive: true });
const node = (...words) => execFileSync(process.execPath, words, { cwd: root, stdio: 'inherit' });
const built = join(stage, 'built');
node('scripts/build.mjs', '--production', `--out=${built}`);

stageOwnFiles();
stageNativePackages();
stageNotices();
rmSync(built, { recursive: true });
const file = join(root, 'out', `${manifest.name}-${target}-${manifest.version}.vsix`);
pack(file);
report(file);

function stageOwnFiles() {
  for (const name of [
    '.vscodeignore',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
    'telemetry.json',
    'package.nls.json',
  ]) {
    cpSync(join(root, name), join(stage, name));
  }
  for (const name of ['media', 'l10n', 'examples/gpt2-kjv']) {
    cpSync(join(root, name), join(stage, name), { recursive: true });
  }
  rmSync(join(stage, 'media', 'icon.svg'));
  const text = readFileSync(join(root, 'examples', 'kjv.txt'), 'utf8').slice(0, exampleText);
  writeFileSync(join(stage, 'examples', 'kjv.txt'), text.slice(0, text.lastIndexOf('\n') + 1));
  const take = name => cpSync(join(built, name), join(stage, 'dist', name));
  take('extension.cjs');
  for (const name of [...bundlesOf('worker.js'), ...bundlesOf('tokenizer.js')]) take(name);
  for (const name of readdirSync(join(built, 'webview'))) take(join('webview', name));
  // What npm would install is staged by hand, and scripts mean nothing outside the repository.
  const unshipped = ['private', 'bin', 'scripts', 'dependencies', 'devDependencies', 'overrides'];
  const shipped = Object.fromEntries(
    Object.entries(manifest).filter(([field]) => !unshipped.includes(field)),
  );
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify(shipped, null, 2)}\n`);
}

/** A program's bundle and every chunk it may load. */
function bundlesOf(entry) {
  const found = new Set([entry]);
  for (const name of found) {
    const code = readFileSync(join(built, name), 'utf8');
    for (const [, path] of code.matchAll(/["'`](\.{1,2}\/[\w./-]+\.js)["'`]/g)) {
      const next = join(dirname(name), path);
      if (existsSync(join(built, next))) found.add(next);
    }
  }
  return found;
}

function stageNativePackages() {
  const here = target === `${process.platform}-${process.arch}`;
  // The engine's package holds every platform; the image decoder's are one package each.
  const from = here ? root : fetchImageDecoder();
  const modules = join(stage, 'dist', 'node_modules');
  const take = (name, parts, origin = from) => {
    const source = join(origin, 'node_modules', name);
    for (const part of ['package.json', ...parts]) {
      if (!existsSync(join(source, part))) continue;
      cpSync(join(source, part), join(modules, name, part), {
        recursive: true,
        filter: path => !/\.(map|ts|md|h|hpp)$/.test(path),
      });
    }
  };
  const binaries = `bin/napi-v6/${platform}/${architecture}`;
  take('onnxruntime-node', ['LICENSE', 'dist', binaries], root);
  take('onnxruntime-common', ['LICENSE', 'dist/cjs', 'lib/package.json'], root);
  take('sharp', ['LICENSE', 'lib', 'dist']);
  for (const name of ['detect-libc', 'semver'])
    take(name, ['LICENSE', 'index.js', 'lib', ...parts(from, name)]);
  take('@img/colour', [
    'LICENSE.md',
    'LICENSE',
    'color.cjs',
    'index.cjs',
    ...parts(from, '@img/colour'),
  ]);
  for (const name of [`sharp-${target}`, `sharp-libvips-${target}`]) {
    take(`@img/${name}`, ['LICENSE', 'lib', 'versions.json', ...parts(from, `@img/${name}`)]);
  }
}

/** The licences of the packages whose code is in the bundles; native packages bring their own. */
function stageNotices() {
  const bundled = JSON.parse(readFileSync(join(built, 'packages.json'), 'utf8'));
  const notices = bundled.map(name => {
    const folder = join(root, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find(entry => /^licen[cs]e/i.test(entry));
    const text = file ? readFileSync(join(folder, file), 'utf8').trim() : '';
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  const rule = `\n${'-'.repeat(80)}\n\n`;
  const opening = 'This extension contains code of the following packages.\n';
  writeFileSync(join(stage, 'ThirdPartyNotices.txt'), [opening, ...notices].join(rule));
}

/** Everything on the top level of a small package. */
function parts(from, name) {
  const folder = join(from, 'node_modules', name);
  return existsSync(folder) ? readdirSync(folder).filter(part => part !== 'node_modules') : [];
}

/** Installs the image decoder for another platform into a folder of its own. */
function fetchImageDecoder() {
  const folder = join(root, 'out', `native-${target}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const wanted = `sharp@${manifest.dependencies.sharp}`;
  const where = [`--os=${platform}`, `--cpu=${architecture}`];
  if (platform === 'linux') where.push('--libc=glibc');
  const words = ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...where, wanted];
  execFileSync('npm', words, {
    cwd: folder,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  return folder;
}

function pack(out) {
  const vsce = join(root, 'node_modules', '@vscode', 'vsce', 'vsce');
  const words = ['package', '--target', target, '--out', out, '--no-dependencies'];
  words.push('--allow-missing-repository', '--no-rewrite-relative-links', '--skip-license');
  execFileSync(process.execPath, [vsce, ...words], { cwd: stage, stdio: 'inherit' });
}

/** Sizes of a zip's files as they are packed, from its central directory. */
function packedSizes(path) {
  const zip = readFileSync(path);
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const sizes = new Map();
  let at = zip.readUInt32LE(end + 16);
  for (let entry = zip.readUInt16LE(end + 10); entry > 0; entry--) {
    const [name, extra, comment] = [28, 30, 32].map(offset => zip.readUInt16LE(at + offset));
    sizes.set(zip.toString('utf8', at + 46, at + 46 + name), zip.readUInt32LE(at + 20));
    at += 46 + name + extra + comment;
  }
  return sizes;
}

function report(path) {
  const sizes = packedSizes(path);
  const sum = keep =>
    [...sizes].filter(([name]) => keep(name)).reduce((total, [, size]) => total + size, 0);
  const isNative = name => name.startsWith('extension/dist/node_modules/');
  const megabytes = bytes => `${(bytes / 1e6).toFixed(2)} MB`;
  const own = sum(name => !isNative(name));
  const host = statSync(join(stage, 'dist', 'extension.cjs')).size;
  console.log(`${path}: ${megabytes(statSync(path).size)} in ${sizes.size} files`);
  console.log(`  without the native packages: ${megabytes(own)}`);
  console.log(`  extension host bundle: ${Math.round(host / 1000)} KB minified`);
  const limits = [
    [host > largestHostBundle, `the host bundle is over ${largestHostBundle / 1000} KB`],
    [own > largestOwnPart, `the part of ours is over ${megabytes(largestOwnPart)}`],
    [![...sizes.keys()].some(name => name.endsWith('.node')), 'no native engine was packed'],
  ];
  for (const [broken, what] of limits) {
    if (!broken) continue;
    console.error(`Too large or incomplete: ${what}.`);
    process.exitCode = 1;
  }
}
