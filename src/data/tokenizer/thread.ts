// The thread in which a checkpoint's tokenizer runs: it is opened, and answers each text by its ids.
import { parentPort, workerData } from 'node:worker_threads';
import { sent, type TextMessage, type ThreadInput, type ThreadMessage } from './messages';
import { openTokenizer } from './open';

const { directory, companions, running } = workerData as ThreadInput;
const port = parentPort!;
const send = (message: ThreadMessage): void => port.postMessage(message);

const numbers = new Map<string, number>();

/** Lets the other side name the pattern that never ends. */
function setPattern(source: string | undefined): void {
  let number = 0;
  if (source !== undefined) {
    number = numbers.get(source) ?? numbers.size + 1;
    if (!numbers.has(source)) {
      numbers.set(source, number);
      send({ kind: 'pattern', number, source });
    }
  }
  Atomics.store(running, 0, number);
}

const fail = (error: unknown): void => send({ kind: 'failed', error: sent(error, directory) });

try {
  const files = {
    directory,
    companions: new Map([...companions].map(([name, text]) => [name, () => Promise.resolve(text)])),
  };
  const { encode, ...description } = await openTokenizer(files, { set: setPattern });
  port.on('message', ({ text, place }: TextMessage) => {
    try {
      send({ kind: 'ids', ids: encode(text, place) });
    } catch (error) {
      fail(error);
    }
  });
  send({ kind: 'ready', description });
} catch (error) {
  fail(error);
}
