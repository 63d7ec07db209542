import { performance } from 'node:perf_hooks';

/** How long the host's event loop stood still at most, milliseconds. */
export interface Standstill {
  /** By the clock: on a busy machine the host may merely wait for its turn. */
  readonly waited: number;
  /** Processor time of the host's own thread in one standstill. */
  readonly worked: number;
}

const period = 5;

/** Newer than the types of the oldest Node that is supported. */
const { threadCpuUsage } = process as unknown as {
  readonly threadCpuUsage: (before?: NodeJS.CpuUsage) => NodeJS.CpuUsage;
};

/** Watches the event loop of this process until it is asked what it saw. */
export function watchEventLoop(): () => Standstill {
  let [waited, worked] = [0, 0];
  let last = performance.now();
  let processor = threadCpuUsage();
  const look = (): void => {
    const now = performance.now();
    const { user, system } = threadCpuUsage(processor);
    waited = Math.max(waited, now - last - period);
    worked = Math.max(worked, (user + system) / 1000);
    last = now;
    processor = threadCpuUsage();
  };
  const timer = setInterval(look, period);
  return () => {
    clearInterval(timer);
    look();
    return { waited, worked };
  };
}
