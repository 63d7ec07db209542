// Does what readers may not do under the eyes of the fuzzer, and prints what it saw.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watch } from '../../fuzz/watch';

const folder = mkdtempSync(join(tmpdir(), 'ligo-watched-'));
const watched = watch([folder]);
const acts: readonly (() => unknown)[] = [
  () => spawn('touch', ['x']),
  () => writeFile('/outside', ''),
  () => open('/outside', 'w'),
  () => writeFileSync(join(folder, 'inside'), ''),
];
for (const act of acts) {
  try {
    await act();
  } catch {
    // What is seen is printed.
  }
  process.stdout.write(`${watched.seen() ?? 'none'}\n`);
}
rmSync(folder, { recursive: true });
