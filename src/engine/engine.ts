import type { Program } from '../graph/program';
import type { TensorData } from '../graph/tensor';

/** Values by the name of the Input they belong to. */
export type NamedData = Readonly<Record<string, TensorData>>;

/**
 * Element type of matrix products: `mixed` reads, computes and writes them in float16, while
 * parameters, their updates, sums and everything else stay float32.
 */
export type Precision = 'float32' | 'mixed';

/** What runs programs, and on which device. */
export interface EngineDescription {
  /** Stable id as given to `--engine`. */
  readonly name: string;
  /** One line for people: device and library with version. */
  readonly device: string;
  /** How programs are compiled unless they are compiled otherwise; float32 where absent. */
  readonly precision?: Precision;
}

/** How a program is compiled. */
export interface CompileOptions {
  /** The engine's own unless given. */
  readonly precision?: Precision;
  /** Whether little memory counts for more than time. */
  readonly spareMemory?: boolean;
}

/**
 * Compiles and steps programs. Nothing outside this room knows which engine runs. State and frozen
 * inputs are uploaded once and stay on the device; only feeds go up and outputs come down.
 */
export interface Engine {
  readonly description: EngineDescription;
  /** Throws UserError when the device cannot hold or run the program. */
  compile(program: Program, options?: CompileOptions): Promise<Executable>;
  dispose(): Promise<void>;
}

/** A compiled program with its state. */
export interface Executable {
  /** Input names of the state, in the program's order. */
  readonly stateNames: readonly string[];
  /**
   * Sets frozen inputs and state. Values may be kept without copying: do not change them after. What is
   * `given` away is not read after either: runs may write state into it.
   */
  load(values: NamedData, options?: { readonly given?: boolean }): void;
  /**
   * Runs once: feeds in, outputs back, state advanced. Every frozen input must be loaded, and all
   * state that does not start at zero.
   */
  run(feeds: NamedData): Promise<Record<string, TensorData>>;
  /** A copy of the state as it is after the last run, by input name; all of it unless named. */
  readState(names?: readonly string[]): Promise<Record<string, TensorData>>;
  /** All of the state, not copied where it lies in main memory. Runs are over then: only `dispose` may follow. */
  takeState(): Promise<Record<string, TensorData>>;
  dispose(): Promise<void>;
}
