import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { performance } from 'node:perf_hooks';
import { watchEventLoop } from './watchdog';

/** Says something beside the outcome of a test. */
export const tell = (text: string): void => void process.stdout.write(`[test] ${text}\n`);

const ms = (value: number): string => `${Math.round(value)} ms`;
const mb = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

/** Where profiles of the host's processor time go, by the environment; undefined for nowhere. */
const profiles = process.env['LIGO_HOST_PROFILE'];

/** Does something, and tells what it took of the extension host. */
export async function measured<T>(what: string, work: () => Promise<T>): Promise<T> {
  const profiled = profiles === undefined ? undefined : await startProfile(profiles, what);
  const stopped = watchEventLoop();
  const before = process.cpuUsage();
  const began = performance.now();
  const result = await work();
  const took = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  const { waited, worked } = stopped();
  const { rss, heapUsed } = process.memoryUsage();
  tell(
    `${what}: ${ms(took)}, processor of the host ${ms((user + system) / 1000)}; ` +
      `longest standstill ${ms(waited)}, most work at once ${ms(worked)}; ` +
      `resident ${mb(rss)}, heap ${mb(heapUsed)}`,
  );
  await profiled?.();
  return result;
}

async function startProfile(folder: string, what: string): Promise<() => Promise<void>> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  return async () => {
    const { profile } = await session.post('Profiler.stop');
    const name = what.replaceAll(/\W+/g, '-');
    writeFileSync(`${folder}/${name}.cpuprofile`, JSON.stringify(profile));
    session.disconnect();
  };
}
