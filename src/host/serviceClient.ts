import type { ChildProcess } from 'node:child_process';
import { UserError } from '../errors';
import type { Service, ServiceAnswer, ServiceMessage } from '../protocol/service';
import type { Disposable } from './lifetime';

type Argument<M extends keyof Service> = Parameters<Service[M]>[0];
type Result<M extends keyof Service> = Awaited<ReturnType<Service[M]>>;

/** What may happen while a call is answered. */
export interface CallOptions {
  /** Cancels the work; the call is rejected when it has ended. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
  readonly onProgress: ((line: string) => void) | undefined;
}

/** The helper process is gone, with all that it was asked. */
export class HelperLostError extends UserError {
  constructor(why: string) {
    super(
      `The helper process stopped answering: ${why}.`,
      'Try again; if it happens again, the file may be too large for this machine.',
    );
  }
}

/** Milliseconds without a call after which the helper process is ended. */
const idleTime = 60_000;

/**
 * Asks the helper process, which is started when it is first needed and ended when it was idle for a
 * while. When it dies every question that waits is rejected.
 */
export class ServiceClient implements Disposable {
  private child: ChildProcess | undefined;
  private readonly pending = new Map<number, Pending>();
  private nextId = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly start: () => ChildProcess,
    private readonly idle = idleTime,
  ) {}

  /** True while the helper process lives. */
  get running(): boolean {
    return this.child !== undefined;
  }

  /** @throws UserError as the helper tells it; HelperLostError where it is gone */
  call<M extends keyof Service>(
    method: M,
    argument: Argument<M>,
    { signal, onProgress }: CallOptions = {},
  ): Promise<Result<M>> {
    const child = (this.child ??= this.launch());
    clearTimeout(this.timer);
    const id = this.nextId++;
    const send = (message: ServiceMessage): void => {
      child.send(message, error => {
        if (error) this.lose(child, `it cannot be reached: ${error.message}`);
      });
    };
    const cancel = (): void => send({ id, cancel: true });
    signal?.addEventListener('abort', cancel, { once: true });
    return new Promise<unknown>((resolve, reject) => {
      this.pending.set(id, { resolve, reject, onProgress });
      send({ id, method, argument });
    }).finally(() => signal?.removeEventListener('abort', cancel)) as Promise<Result<M>>;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.end();
  }

  private launch(): ChildProcess {
    const child = this.start();
    child.on('message', (answer: ServiceAnswer) => this.settle(answer));
    child.on('error', error => this.lose(child, error.message));
    child.on('exit', (code, signal) => this.lose(child, `it ended (${signal ?? code})`));
    return child;
  }

  private settle(answer: ServiceAnswer): void {
    const waiting = this.pending.get(answer.id);
    if ('progress' in answer) {
      waiting?.onProgress?.(answer.progress);
      return;
    }
    this.pending.delete(answer.id);
    if ('failure' in answer) {
      waiting?.reject(new UserError(answer.failure.message, answer.failure.remedy));
    } else waiting?.resolve(answer.result);
    if (this.pending.size > 0) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(), this.idle);
    this.timer.unref();
  }

  /** A helper that is gone answers nothing any more. */
  private lose(child: ChildProcess, why: string): void {
    if (this.child !== child) return;
    this.child = undefined;
    const waiting = [...this.pending.values()];
    this.pending.clear();
    const error = new HelperLostError(why);
    for (const { reject } of waiting) reject(error);
  }

  private end(): void {
    const { child } = this;
    if (!child) return;
    this.lose(child, 'it was ended');
    if (child.connected) child.disconnect();
    child.kill();
  }
}
