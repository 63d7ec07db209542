import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { sessionProcesses } from './processes';

/** What the kernel calls an established connection. */
const established = '01';

/** Remote addresses outside this machine that processes of a session are connected to right now. */
export function remoteConnections(session: string): string[] {
  return sessionProcesses(session).flatMap(pid => {
    const own = socketsOf(pid);
    return ['tcp', 'tcp6']
      .flatMap(table => rowsOf(`/proc/${pid}/net/${table}`))
      .filter(row => own.has(row.inode) && row.state === established && !isLoopback(row.remote))
      .map(row => `process ${pid}: ${row.remote}`);
  });
}

function socketsOf(pid: number): Set<string> {
  try {
    const links = readdirSync(`/proc/${pid}/fd`).map(name => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${name}`);
      } catch {
        // Closed in between.
        return '';
      }
    });
    return new Set(links.flatMap(link => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  } catch {
    // It ended in between.
    return new Set();
  }
}

function rowsOf(path: string): { remote: string; state: string; inode: string }[] {
  let table: string;
  try {
    table = readFileSync(path, 'utf8');
  } catch {
    // It ended in between.
    return [];
  }
  return table
    .split('\n')
    .slice(1)
    .map(line => line.trim().split(/\s+/))
    .filter(fields => fields.length > 9)
    .map(fields => ({ remote: fields[2] ?? '', state: fields[3] ?? '', inode: fields[9] ?? '' }));
}

/** 127.x.x.x and ::1 as the kernel writes them: groups of four bytes, least significant first. */
const isLoopback = (address: string): boolean =>
  /^[0-9A-F]{6}7F:/.test(address) ||
  /^0{16}FFFF0000[0-9A-F]{6}7F:/.test(address) ||
  /^0{24}01000000:/.test(address);
