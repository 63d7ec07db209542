/**
 * Lets only so many tasks of a kind run at a time, in the order they came, where each of them takes
 * memory that all of them at once would not leave.
 */
export function atMost(count: number): <Result>(task: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async task => {
    if (running < count) running++;
    else await new Promise<void>(resolve => waiting.push(resolve));
    try {
      return await task();
    } finally {
      // A task that waits takes the place over, so `running` stays as it is.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
