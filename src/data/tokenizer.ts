import { Worker } from 'node:worker_threads';
import { CorruptFileError, UserError } from '../errors';
import { folderOf, type SmallFiles } from './jsonFiles';
import {
  restored,
  type TextMessage,
  type ThreadInput,
  type ThreadMessage,
} from './tokenizer/messages';
import type { TokenizerDescription } from './tokenizer/open';
import { tooCostly } from './tokenizer/patterns';

export type { TokenizerDescription } from './tokenizer/open';
/** What the batches need of a tokenizer: text to ids, and which ids are not text. */
export interface TextTokenizer extends TokenizerDescription {
  /**
   * The ids of a text, without the special tokens that a model puts around it; of a piece that goes on
   * from one before it, without what a tokenizer puts in front of a text.
   */
  encode(text: string, place?: 'first' | 'continued'): Promise<Int32Array>;
  /** Ends the thread; nothing can be encoded after it. */
  close(): Promise<void>;
}

/** What a thread may take. Seconds are those in which this process was awake: sleep does not count. */
export interface TokenizerLimits {
  /** For one pattern: they come with the checkpoint, and some never end. A piece of text takes milliseconds. */
  readonly pattern: number;
  /** For all else that a piece of text takes, or opening the tokenizer. */
  readonly answer: number;
  /** MB of objects; a vocabulary of 250,000 tokens takes about half of what is usual. */
  readonly megabytes: number;
}

const usualLimits: TokenizerLimits = { pattern: 5, answer: 30, megabytes: 384 };

/** The thread's program: beside this source, or its bundle in `dist`. */
function threadProgram(): URL {
  const own = import.meta.url;
  if (own.endsWith('.ts')) return new URL('./tokenizer/sourceThread.mjs', own);
  const inChunks = new URL('.', own).pathname.endsWith('/chunks/');
  return new URL(inChunks ? '../tokenizer.js' : './tokenizer.js', own);
}

interface Waiting {
  readonly resolve: (message: ThreadMessage) => void;
  readonly reject: (error: Error) => void;
}

/** A thread that answers questions in their order, and is stopped when it does not. */
class TokenizerThread {
  private readonly running = new Int32Array(new SharedArrayBuffer(4));
  private readonly patterns = new Map<number, string>();
  private readonly waiting: Waiting[] = [];
  private readonly worker: Worker;
  private clock: NodeJS.Timeout | undefined;
  private over: Error | undefined;

  constructor(
    private readonly directory: string,
    companions: ReadonlyMap<string, string>,
    private readonly limits: TokenizerLimits,
  ) {
    const input: ThreadInput = { directory, companions, running: this.running };
    this.worker = new Worker(threadProgram(), {
      workerData: input,
      resourceLimits: { maxOldGenerationSizeMb: limits.megabytes },
    });
    this.worker.on('message', (message: ThreadMessage) => this.receive(message));
    this.worker.on('error', error => this.end(this.explained(error)));
    this.worker.on('exit', () => this.end(new Error('The thread of the tokenizer has ended.')));
  }

  /** The next answer of the thread. */
  answer(): Promise<ThreadMessage> {
    if (this.over) return Promise.reject(this.over);
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      if (this.waiting.length === 1) this.watch();
    });
  }

  ask(message: TextMessage): Promise<ThreadMessage> {
    if (!this.over) this.worker.postMessage(message);
    return this.answer();
  }

  async close(): Promise<void> {
    // A thread that was given up stops when it can: nobody waits for it.
    if (this.over) return;
    this.end(new Error('The tokenizer is closed.'));
    await this.worker.terminate();
  }

  private receive(message: ThreadMessage): void {
    if (message.kind === 'pattern') {
      this.patterns.set(message.number, message.source);
      return;
    }
    const next = this.waiting.shift();
    this.unwatch();
    if (this.waiting.length > 0) this.watch();
    if (message.kind === 'failed') next?.reject(restored(message.error));
    else next?.resolve(message);
  }

  /** While an answer is due, the thread keeps the process alive and is under a clock. */
  private watch(): void {
    this.worker.ref();
    let seconds = 0;
    let secondsOfPattern = 0;
    let latest = 0;
    this.clock = setInterval(() => {
      seconds++;
      const pattern = Atomics.load(this.running, 0);
      secondsOfPattern = pattern !== 0 && pattern === latest ? secondsOfPattern + 1 : 0;
      latest = pattern;
      const source = this.patterns.get(pattern);
      if (source !== undefined && secondsOfPattern >= this.limits.pattern) {
        const problem = `is matched for more than ${this.limits.pattern} seconds without an end`;
        this.giveUp(tooCostly(source, problem));
      } else if (seconds >= this.limits.answer) {
        this.giveUp(
          this.tooMuch(`takes more than ${this.limits.answer} seconds to open or for one text`),
        );
      }
    }, 1000);
  }

  private unwatch(): void {
    clearInterval(this.clock);
    this.worker.unref();
  }

  private giveUp(error: Error): void {
    this.end(error);
    void this.worker.terminate();
  }

  /** Nothing more will be answered. */
  private end(error: Error): void {
    this.over ??= error;
    this.unwatch();
    for (const { reject } of this.waiting.splice(0)) reject(this.over);
  }

  private explained(error: Error): Error {
    if (!('code' in error) || error.code !== 'ERR_WORKER_OUT_OF_MEMORY') return error;
    return this.tooMuch(`needs more than ${this.limits.megabytes} MB of memory`);
  }

  private tooMuch(problem: string): CorruptFileError {
    return new CorruptFileError(
      `The tokenizer in ${this.directory} ${problem}.`,
      'It is broken or hostile: take the tokenizer files of the original checkpoint.',
    );
  }
}

/**
 * Opens the checkpoint's own tokenizer, so that training sees the ids the model was trained on. It
 * lives in a thread of its own, where patterns that never end and text that grows without bound are
 * stopped; this thread never waits for it. Close it.
 * @throws UserError when there is none or an unsupported one, CorruptFileError when it is malformed
 */
export async function loadTokenizer(
  files: SmallFiles,
  limits = usualLimits,
): Promise<TextTokenizer> {
  const companions = new Map<string, string>();
  if (typeof files !== 'string') {
    for (const [name, make] of files.companions) companions.set(name, await make());
  }
  const thread = new TokenizerThread(folderOf(files), companions, limits);
  try {
    const opened = await thread.answer();
    if (opened.kind !== 'ready') throw new Error(`The tokenizer began with ${opened.kind}.`);
    return {
      ...opened.description,
      async encode(text, place = 'first') {
        const answer = await thread.ask({ text, place });
        if (answer.kind !== 'ids') throw new Error(`The tokenizer answered ${answer.kind}.`);
        return answer.ids;
      },
      close: () => thread.close(),
    };
  } catch (error) {
    void thread.close();
    throw error;
  }
}

/** What is known of the checkpoint's tokenizer, for whoever encodes nothing. */
export async function describeTokenizer(files: SmallFiles): Promise<TokenizerDescription> {
  const tokenizer = await loadTokenizer(files);
  await tokenizer.close();
  return tokenizer;
}

/** The tokenizer's mask, which masked language modelling cannot do without. */
export function requireMask(tokenizer: TokenizerDescription): number {
  const mask = tokenizer.special.mask;
  if (mask === undefined) {
    throw new UserError(
      'The tokenizer has no mask token, so this model cannot be trained on masked text.',
      'Name it as "mask_token" in tokenizer_config.json if it has one; a model that predicts the next token needs none.',
    );
  }
  return mask;
}
