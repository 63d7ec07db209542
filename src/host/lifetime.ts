/** Something with an end. */
export interface Disposable {
  dispose(): unknown;
}

/** Ends several things together; what is added after the end is ended at once. */
export class DisposableStore implements Disposable {
  private readonly items = new Set<Disposable>();
  private ended = false;

  add<T extends Disposable>(item: T): T {
    if (this.ended) item.dispose();
    else this.items.add(item);
    return item;
  }

  dispose(): void {
    this.ended = true;
    for (const item of this.items) item.dispose();
    this.items.clear();
  }
}

/** Tells listeners that something happened, where VS Code's own emitter is not at hand. */
export class Emitter<T> implements Disposable {
  private readonly listeners = new Set<(event: T) => void>();

  readonly on = (listener: (event: T) => void): Disposable => {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  };

  fire(event: T): void {
    for (const listener of [...this.listeners]) listener(event);
  }

  dispose(): void {
    this.listeners.clear();
  }
}

/** Does something once at a time: calls while it goes on become one more time after it. */
export function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let going: Promise<void> | undefined;
  let again = false;
  const go = async (): Promise<void> => {
    do {
      again = false;
      await work();
    } while (again);
  };
  return () => {
    if (going) again = true;
    else going = go().finally(() => (going = undefined));
    return going;
  };
}

/** Calls at most once in a while: the first call waits that long, and later ones join it. */
export function throttle(milliseconds: number, work: () => void): { run(): void } & Disposable {
  let timer: NodeJS.Timeout | undefined;
  return {
    run() {
      timer ??= setTimeout(() => {
        timer = undefined;
        work();
      }, milliseconds);
    },
    dispose: () => clearTimeout(timer),
  };
}
