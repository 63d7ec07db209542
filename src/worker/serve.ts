import * as z from 'zod/mini';
import type { Service, ServiceAnswer } from '../protocol/service';
import { explainFailure } from './failure';
import { service } from './service';

const methods = Object.keys(service) as [keyof Service, ...(keyof Service)[]];
const call = z.object({ id: z.int(), method: z.enum(methods), argument: z.unknown() });

/** Answers calls that come over the channel to the parent process, until it closes. */
export function serve(): Promise<void> {
  const answer = (message: ServiceAnswer): void => {
    // The parent may be gone by now; then nobody waits.
    if (process.connected) process.send?.(message);
  };
  process.on('message', message => {
    void (async () => {
      const { id, method, argument } = call.parse(message);
      try {
        const work = service[method] as (argument: unknown) => Promise<unknown>;
        answer({ id, result: await work(argument) });
      } catch (error) {
        const { message: text, remedy } = explainFailure(error);
        answer({ id, failure: { message: text, remedy } });
      }
    })();
  });
  return new Promise(resolve => process.once('disconnect', () => resolve()));
}
