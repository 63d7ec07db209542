// Bundles each entry into dist/. Native packages stay outside the bundles.
//   node scripts/build.mjs [--production]
import { build } from 'esbuild';
import { existsSync, readdirSync, rmSync } from 'node:fs';

const production = process.argv.includes('--production');
const existing = entries =>
  Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(path)));
const common = {
  bundle: true,
  sourcemap: production ? false : 'linked',
  minify: production,
  logLevel: 'warning',
  metafile: true,
};

/** The command line, the demo and the worker: one set of shared chunks. They must not know VS Code. */
const programs = await build({
  ...common,
  entryPoints: existing({
    cli: 'src/cli/main.ts',
    demo: 'src/cli/demo.ts',
    worker: 'src/worker/main.ts',
  }),
  outdir: 'dist',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  splitting: true,
  // The CommonJS form of some packages hides what it requires from the bundler.
  mainFields: ['module', 'main'],
  chunkNames: 'chunks/[name]-[hash]',
  external: ['onnxruntime-node', 'sharp'],
  // Bundled CommonJS packages still call require for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});

/** The extension host: the only bundle that knows VS Code. */
if (existsSync('src/extension.ts')) {
  await build({
    ...common,
    entryPoints: { extension: 'src/extension.ts' },
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    mainFields: ['module', 'main'],
    external: ['vscode'],
  });
}

/** The pages: one script and one style sheet each. */
const pages = existing({
  progress: 'webview/progress/main.ts',
  run: 'webview/run/main.ts',
  inspector: 'webview/inspector/main.ts',
});
if (Object.keys(pages).length > 0) {
  await build({
    ...common,
    entryPoints: pages,
    outdir: 'dist/webview',
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
  });
}

// Chunks of earlier builds go only after the new ones stand, so that a running program keeps its own.
const written = new Set(Object.keys(programs.metafile.outputs));
for (const name of readdirSync('dist/chunks')) {
  if (!written.has(`dist/chunks/${name}`)) rmSync(`dist/chunks/${name}`);
}
