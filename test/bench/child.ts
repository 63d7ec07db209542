import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/** Where measurements leave their files; not under version control. */
export const outputFolder = fileURLToPath(new URL('../../out/bench/', import.meta.url));

/**
 * A file beside this one as plain JavaScript, so that no compiler counts towards the memory measured,
 * and the program of the tokenizer's thread beside it.
 */
export function bundled(name: string): string {
  buildSync({
    entryPoints: {
      [name]: fileURLToPath(new URL(`${name}.ts`, import.meta.url)),
      tokenizer: fileURLToPath(new URL('../../src/data/tokenizer/thread.ts', import.meta.url)),
    },
    outdir: outputFolder,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    mainFields: ['module', 'main'],
    external: ['onnxruntime-node', 'sharp', 'esbuild'],
    // Bundled CommonJS modules call require, which ES modules do not have.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
  return `${outputFolder}${name}.js`;
}

/** What a command prints, which is one JSON object. */
export function printedJson(file: string, args: readonly string[]): unknown {
  const child = spawnSync(file, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.error) throw child.error;
  if (child.status !== 0) throw new Error(`${file} ended with ${child.status}`);
  return JSON.parse(child.stdout);
}
