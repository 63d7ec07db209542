/**
 * Lets tasks run at a time, in the order they came, while what they weigh together stays within a limit:
 * where each takes memory that all of them at once would not leave. One that weighs more than the limit
 * runs alone.
 */
export function atMost(
  limit: number,
): <Result>(task: () => Promise<Result>, weight?: number) => Promise<Result> {
  const waiting: { readonly weight: number; readonly start: () => void }[] = [];
  let running = 0;
  const startNext = (): void => {
    for (let next = waiting[0]; next; next = waiting[0]) {
      if (running > 0 && running + next.weight > limit) return;
      running += next.weight;
      waiting.shift();
      next.start();
    }
  };
  return async (task, weight = 1) => {
    await new Promise<void>(start => {
      waiting.push({ weight, start });
      startNext();
    });
    try {
      return await task();
    } finally {
      running -= weight;
      startNext();
    }
  };
}
