// Bundles each entry into dist/. Native packages stay outside the bundles.
import { build } from 'esbuild';
import { existsSync, readdirSync, rmSync } from 'node:fs';

const external = ['onnxruntime-node', 'sharp'];
const entries = { cli: 'src/cli/main.ts', demo: 'src/cli/demo.ts' };

const { metafile } = await build({
  entryPoints: Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(path))),
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  splitting: true,
  // The CommonJS form of some packages hides what it requires from the bundler.
  mainFields: ['module', 'main'],
  chunkNames: 'chunks/[name]-[hash]',
  sourcemap: 'linked',
  external,
  metafile: true,
  // Bundled CommonJS packages still call require for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});

// Chunks of earlier builds go only after the new ones stand, so that a running program keeps its own.
const written = new Set(Object.keys(metafile.outputs));
for (const name of readdirSync('dist/chunks')) {
  if (!written.has(`dist/chunks/${name}`)) rmSync(`dist/chunks/${name}`);
}
