import * as z from 'zod/mini';
import type { CallContext, Service, ServiceAnswer } from '../protocol/service';
import { editor, editorOfHandoff, editorOfTraining } from '../remedy/editor';
import type { Words } from '../remedy/remedy';
import { worded } from '../remedy/worded';
import { explainFailure } from './failure';
import { service } from './service';

const methods = Object.keys(service) as [keyof Service, ...(keyof Service)[]];
const message = z.union([
  z.object({ id: z.int(), cancel: z.literal(true) }),
  z.object({ id: z.int(), method: z.enum(methods), argument: z.unknown() }),
]);

/** Plans with other lines than those of a growth have other words for them. */
const wordsOf: Readonly<Partial<Record<keyof Service, Words>>> = {
  trainingPlan: editorOfTraining,
  handoffOutlook: editorOfHandoff,
  handOff: editorOfHandoff,
};

/** Answers calls that come over the channel to the parent process, until it closes or the process is told to end. */
export function serve(): Promise<void> {
  const running = new Map<number, AbortController>();
  const works = new Set<Promise<void>>();
  const answer = (told: ServiceAnswer): void => {
    // The parent may be gone by now; then nobody waits.
    if (process.connected) process.send?.(told);
  };
  const work = async (id: number, method: keyof Service, argument: unknown): Promise<void> => {
    const controller = new AbortController();
    running.set(id, controller);
    const context: CallContext = {
      signal: controller.signal,
      progress: line => answer({ id, progress: line }),
    };
    const words = wordsOf[method] ?? editor;
    try {
      const call = service[method] as (argument: unknown, context: CallContext) => Promise<unknown>;
      answer({ id, result: worded<unknown>(await call(argument, context), words) });
    } catch (error) {
      const { message: text, remedy } = explainFailure(error, words);
      answer({ id, failure: { message: text, remedy } });
    } finally {
      running.delete(id);
    }
  };
  process.on('message', received => {
    const parsed = message.parse(received);
    if ('cancel' in parsed) running.get(parsed.id)?.abort();
    else {
      const started = work(parsed.id, parsed.method, parsed.argument);
      works.add(started);
      void started.finally(() => works.delete(started));
    }
  });
  return new Promise(resolve => {
    // What a call started must not outlive the one who asked for it.
    const end = (): void => {
      for (const controller of running.values()) controller.abort();
      void Promise.allSettled(works).then(() => resolve());
    };
    process.once('disconnect', end);
    process.once('SIGTERM', end);
  });
}
