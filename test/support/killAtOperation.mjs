// Kills its own process (SIGKILL) just before the N-th operation that changes the disk:
//   LIGO_KILL_AT=N LIGO_KILL_LOG=file node --import <this file> dist/cli.js …
// Without LIGO_KILL_AT the run goes on to its end; the log then names its operations, one a line.
import { writeFileSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';

const files = createRequire(import.meta.url)('node:fs/promises');
const killAt = Number(process.env.LIGO_KILL_AT ?? 0);
const done = [];

function before(name, call, changes = () => true) {
  return function (...args) {
    if (changes(...args)) {
      done.push(name);
      if (done.length === killAt) process.kill(process.pid, 'SIGKILL');
    }
    return call.apply(this, args);
  };
}

for (const name of ['copyFile', 'link', 'mkdir', 'rename', 'rm', 'rmdir', 'writeFile']) {
  files[name] = before(name, files[name]);
}
const probe = await files.open(new URL(import.meta.url), 'r');
const handles = Object.getPrototypeOf(probe);
await probe.close();
files.open = before('open', files.open, (_, flags = 'r') => /[wa+]/.test(String(flags)));
for (const name of ['write', 'writeFile', 'sync', 'truncate']) {
  handles[name] = before(name, handles[name]);
}
syncBuiltinESMExports();

const log = process.env.LIGO_KILL_LOG;
if (log) process.on('exit', () => writeFileSync(log, done.join('\n')));
