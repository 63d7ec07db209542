import type { ChildProcess } from 'node:child_process';
import type { OpenByName } from '../engine/open';
import { UserError } from '../errors';
import type { EngineName, SelfTestResult } from '../protocol/engines';
import { selfTestSteps } from './selfTestStep';
import type { Remedy } from '../remedy/remedy';
import type { Unworded } from '../remedy/worded';

/** Largest relative difference of a loss that counts as agreement with the CPU. */
const tolerance = 1e-4;
/** Milliseconds an engine may take in all: software adapters compile slowly. */
const patience = 120_000;

/** A result, its remedy in the words of no face yet. */
type TestResult = Unworded<SelfTestResult>;

/** What the process that tests one engine tells, once. */
type Told =
  | {
      readonly losses: readonly number[];
      readonly secondsPerStep: number;
      readonly device: string;
    }
  | { readonly message: string; readonly remedy: Remedy };

/** How self tests are run. */
export interface SelfTestOptions {
  /** Starts a process that calls `testInChild` for an engine; with a channel to us. */
  readonly start: (name: EngineName) => ChildProcess;
  readonly signal?: AbortSignal;
  /** Milliseconds an engine may take. */
  readonly patience?: number;
}

/**
 * Takes a few tiny LiGO steps on each engine and compares the losses with the CPU's. Each engine runs
 * in a process of its own, so that native code that crashes or hangs becomes a result, too.
 */
export async function selfTest(
  names: readonly EngineName[],
  options: SelfTestOptions,
): Promise<TestResult[]> {
  const results: TestResult[] = [];
  const reference = await ask('cpu', options);
  for (const name of names) {
    const told = name === 'cpu' ? reference : await ask(name, options);
    results.push(compare(name, told, reference));
  }
  return results;
}

/** Tests one engine as `selfTest` does. */
export async function testOne(name: EngineName, options: SelfTestOptions): Promise<TestResult> {
  const [result] = await selfTest([name], options);
  return result!;
}

function compare(name: EngineName, told: Told, reference: Told): TestResult {
  if ('message' in told) return { name, outcome: 'failed', ...told };
  if ('message' in reference) {
    const remedy = reference.remedy;
    const message = `There is nothing to compare with: ${reference.message}`;
    return { name, outcome: 'failed', message, remedy };
  }
  const difference = Math.max(
    ...reference.losses.map((loss, step) => Math.abs((told.losses[step] ?? NaN) / loss - 1)),
  );
  const { secondsPerStep, device } = told;
  // Not the other way round: NaN agrees with nothing.
  const outcome = difference <= tolerance ? 'agrees' : 'differs';
  return { name, outcome, difference, secondsPerStep, device };
}

/** Has one engine tested by a process of its own. */
function ask(
  name: EngineName,
  { start, signal, patience: limit = patience }: SelfTestOptions,
): Promise<Told> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = start(name);
    let told: Told | undefined;
    let errors = '';
    const stop = (): void => void child.kill('SIGKILL');
    const timer = setTimeout(() => {
      told = {
        message: `It gave no answer within ${Math.round(limit / 1000)} s and was ended.`,
        remedy: 'Update the driver of the device; until then use another engine.',
      };
      stop();
    }, limit);
    signal?.addEventListener('abort', stop, { once: true });
    child.on('message', (message: Told) => (told ??= message));
    child.stderr?.on('data', (chunk: Buffer) => {
      errors = `${errors}${chunk.toString()}`.slice(-2000);
    });
    const finish = (how: string): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      if (signal?.aborted) reject(signal.reason as Error);
      else resolve(told ?? crashed(how, errors));
    };
    child.once('error', error => finish(`cannot be started (${error.message})`));
    child.once('close', (code, killed) => finish(`crashed (${killed ?? `exit code ${code}`})`));
  });
}

function crashed(how: string, errors: string): Told {
  const last = errors.trim().split('\n').at(-1)?.trim() ?? '';
  return {
    message: `Its process ${how}${last === '' ? '' : `: ${last}`}.`,
    remedy: 'Update the driver of the device; until then use another engine.',
  };
}

/** Tests one engine in this process and tells the parent. What is no UserError ends the process. */
export async function testInChild(name: EngineName, open: OpenByName): Promise<void> {
  const tell = (told: Told): Promise<void> =>
    new Promise((resolve, reject) => {
      process.send!(told, (error: Error | null) => (error ? reject(error) : resolve()));
    });
  try {
    const engine = await open(name);
    try {
      const steps = await selfTestSteps(engine);
      await tell({ ...steps, device: engine.description.device });
    } finally {
      await engine.dispose();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    await tell({ message: error.message, remedy: error.remedy });
  }
}
