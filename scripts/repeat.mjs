// Runs a level of tests several times, beside processes that keep the machine busy, and tells how often it failed:
//   node scripts/repeat.mjs --times 10 --busy 6 -- node scripts/test.mjs e2e
// What each time printed is in out/repeated/<time>.log.
import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';

const { values, positionals: command } = parseArgs({
  allowPositionals: true,
  options: {
    times: { type: 'string', default: '10' },
    busy: { type: 'string', default: '0' },
  },
});
const [times, busy] = [Number(values.times), Number(values.busy)];
if (!(Number.isInteger(times) && times > 0 && Number.isInteger(busy) && busy >= 0 && command[0])) {
  console.error('usage: node scripts/repeat.mjs --times n --busy n -- command …');
  process.exit(2);
}
const logs = 'out/repeated';
mkdirSync(logs, { recursive: true });

const load = Array.from({ length: busy }, () =>
  spawn(process.execPath, ['-e', 'for (;;) Math.sqrt(Math.random());'], { stdio: 'ignore' }),
);
process.on('exit', () => load.forEach(child => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

/** Exit code of the command; what it prints goes to a file. */
const once = log =>
  new Promise((resolve, reject) => {
    const [program, ...rest] = command;
    const to = openSync(log, 'w');
    const child = spawn(program, rest, { stdio: ['ignore', to, to] });
    child.on('error', reject);
    child.on('close', resolve);
  });

let failures = 0;
for (let time = 1; time <= times; time += 1) {
  const began = Date.now();
  const status = await once(`${logs}/${time}.log`);
  if (status !== 0) failures += 1;
  const minutes = ((Date.now() - began) / 60_000).toFixed(1);
  const outcome = status === 0 ? 'passed' : 'FAILED';
  console.log(`${time} of ${times}: ${outcome}, ${minutes} min, load ${loadavg()[0].toFixed(1)}`);
}
console.log(`${failures} of ${times} failed, beside ${busy} busy processes.`);
process.exit(failures === 0 ? 0 : 1);
