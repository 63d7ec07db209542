// How long the extension host takes to list a workspace of many files of every format and to take in what changes
// there, and for how long its event loop stands still. Linux only.
//   node scripts/build.mjs && node --import tsx test/bench/workspace.ts [files] [--profile folder]
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundleHostTests, runHostTests } from '../support/editor/hostTests';
import { largeWorkspace } from '../support/editor/workspace';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { profile: { type: 'string' } },
});
const profile = options.profile === undefined ? undefined : resolve(options.profile);
if (profile !== undefined) mkdirSync(profile, { recursive: true });
const workspace = largeWorkspace(Number(positionals[0] ?? 5000));
try {
  const entry = await bundleHostTests(join(import.meta.dirname, '../host'), 'large');
  const environment = profile === undefined ? {} : { LIGO_HOST_PROFILE: profile };
  const print = (line: string): void => console.log(line);
  const { code } = await runHostTests(entry, workspace.folder, print, { environment });
  process.exitCode = code;
} finally {
  workspace.remove();
}
