import type { Service } from '../protocol/service';
import type { Unworded } from '../remedy/worded';

/** The service before its answers speak of what the editor has. */
export type UnwordedService = {
  readonly [M in keyof Service]: (
    ...asked: Parameters<Service[M]>
  ) => Promise<Unworded<Awaited<ReturnType<Service[M]>>>>;
};
