// Preloaded (--import) into the server, the extension host and its children in a test: writes down
// connections that leave the machine, and how long the extension host's event loop was blocked.
import { appendFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';

const folder = process.env.LIGO_TEST_WATCH;
const note = (file, entry) => {
  const line = JSON.stringify({ pid: process.pid, time: Date.now(), ...entry });
  appendFileSync(join(folder, file), `${line}\n`);
};

const isLoopback = host =>
  !host || host === 'localhost' || host === '::1' || host === '0.0.0.0' || host.startsWith('127.');

/** The host of any form of arguments that `connect` takes; undefined for a socket's path. */
function hostOf(args) {
  const first = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (typeof first === 'object' && first !== null) return first.path ? undefined : first.host;
  return typeof args[1] === 'string' ? args[1] : undefined;
}

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const host = hostOf(args);
  if (!isLoopback(host)) note('connections.jsonl', { host, program: process.argv.slice(1, 4) });
  return connect.apply(this, args);
};

if (process.argv.includes('--type=extensionHost')) {
  // VS Code drops this variable on the way here; children of the host get it again.
  process.env.NODE_OPTIONS = `--import ${import.meta.url}`;
  const period = 10;
  let last = performance.now();
  let cpu = process.threadCpuUsage();
  setInterval(() => {
    const now = performance.now();
    const used = process.threadCpuUsage(cpu);
    const blocked = now - last - period;
    // On a busy machine a process may merely wait for its turn: `busy` is its own work, milliseconds.
    if (blocked > 30) note('blocked.jsonl', { blocked, busy: (used.user + used.system) / 1000 });
    last = now;
    cpu = process.threadCpuUsage();
  }, period).unref();
}
