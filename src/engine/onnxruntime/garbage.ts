import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** V8's own call for it, which it shows only when asked to. */
function exposed(): () => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return collect;
}

let collect: (() => void) | undefined;

/** Frees what is not used any more, now: V8 cannot know how much memory somebody else is about to ask for. */
export function freeGarbage(): void {
  collect ??= exposed();
  collect();
}
