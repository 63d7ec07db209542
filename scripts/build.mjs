// Bundles each entry into dist/. Native packages stay outside the bundles.
//   node scripts/build.mjs [--production] [--out=<folder>]
import { build } from 'esbuild';
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const production = process.argv.includes('--production');
const out = process.argv.find(word => word.startsWith('--out='))?.slice('--out='.length) ?? 'dist';
const existing = entries =>
  Object.fromEntries(Object.entries(entries).filter(([, path]) => existsSync(path)));
const common = {
  bundle: true,
  sourcemap: production ? false : 'linked',
  minify: production,
  logLevel: 'warning',
  metafile: true,
};

/** The Hub's library uploads by Xet, whose WebAssembly is not needed to download: out where nothing of it is used. */
const withoutXet = {
  name: 'without-xet',
  setup(builder) {
    builder.onResolve(
      { filter: /^@huggingface\/xetchunk-wasm$/ },
      async ({ path, pluginData, ...from }) => {
        if (pluginData === 'resolved') return undefined;
        const found = await builder.resolve(path, { ...from, pluginData: 'resolved' });
        return { ...found, sideEffects: false };
      },
    );
  },
};

/** The command line, the demo and the worker: one set of shared chunks. They must not know VS Code. */
const programs = await build({
  ...common,
  entryPoints: existing({
    cli: 'src/cli/main.ts',
    demo: 'src/cli/demo.ts',
    worker: 'src/worker/main.ts',
    tokenizer: 'src/data/tokenizer/thread.ts',
  }),
  outdir: out,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  splitting: true,
  plugins: [withoutXet],
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
let extension;
if (existsSync('src/extension.ts')) {
  extension = await build({
    ...common,
    entryPoints: { extension: 'src/extension.ts' },
    outdir: out,
    outExtension: { '.js': '.cjs' },
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    mainFields: ['module', 'main'],
    external: ['vscode'],
    // Empty unless somebody builds with a connection string of their own: nothing is sent then, and
    // the reporter is not even in the bundle.
    define: {
      LIGO_TELEMETRY_CONNECTION: JSON.stringify(process.env.LIGO_TELEMETRY_CONNECTION ?? ''),
    },
  });
}

/** The pages: one script and one style sheet each. */
const pages = existing({
  progress: 'webview/progress/main.ts',
  run: 'webview/run/main.ts',
  curves: 'webview/curves/main.ts',
  inspector: 'webview/inspector/main.ts',
  difference: 'webview/difference/main.ts',
});
let webviews;
if (Object.keys(pages).length > 0) {
  webviews = await build({
    ...common,
    entryPoints: pages,
    outdir: `${out}/webview`,
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
  });
}

// Chunks of earlier builds go only after the new ones stand, so that a running program keeps its own.
const written = new Set(Object.keys(programs.metafile.outputs).map(path => resolve(path)));
for (const name of readdirSync(`${out}/chunks`)) {
  if (!written.has(resolve(out, 'chunks', name))) rmSync(`${out}/chunks/${name}`);
}

// Whose code is in the bundles, for the notices that go with them.
if (production) {
  const inputs = [programs, extension, webviews].flatMap(result =>
    Object.keys(result?.metafile.inputs ?? {}),
  );
  const packages = inputs.flatMap(
    input => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(input)?.[1] ?? [],
  );
  writeFileSync(`${out}/packages.json`, JSON.stringify([...new Set(packages)].sort()));
}
