import type { DeviceMemory } from '../../engine';
import type { ProgramCost } from './growthCost';
import { largestInMemory } from '../stop/keepOnDisk';

/**
 * What a process takes of main memory: its own needs, bytes, and for each byte of what a plan counts how
 * many it takes. Measured with `test/bench/sizes.ts`; see docs/speed.md.
 */
interface Needs {
  readonly own: number;
  /** Weights that are given once: some engines compute on copies. */
  readonly frozen: number;
  /** What a step makes: allocators hold more than is used. */
  readonly made: number;
  /** The state of the next step, where it is not written over the last one's. */
  readonly next: number;
}

/** Engines that compute in main memory, by name. */
const needs: Readonly<Record<string, Needs>> = {
  cpu: { own: 280e6, frozen: 1, made: 1.3, next: 0 },
  // On TensorFlow's native library, whose memory never gets smaller while the large model is scored in it
  // after the last step. On WebAssembly it takes as much but for the library.
  tfjs: { own: 280e6, frozen: 2, made: 2.75, next: 2.75 },
};

/** Where the bytes of a step lie. */
export type StepBytes = Pick<ProgramCost, 'peakBytes'> &
  Partial<Pick<ProgramCost, 'frozenBytes' | 'stateBytes'>> & {
    /** Of what lies side by side while a result is scored, after the last step. */
    readonly scoredBytes?: number;
  };

/** About the most bytes of main memory that a process takes to make steps of known cost and score the result. */
export function processBytes(
  engine: string,
  { peakBytes, frozenBytes = 0, stateBytes = 0, scoredBytes = 0 }: StepBytes,
): number {
  const of = needs[engine] ?? needs['cpu']!;
  // A copy to fall back to, where it is not kept on the disk.
  const copies = stateBytes <= largestInMemory ? stateBytes : 0;
  const made = of.made * (peakBytes - frozenBytes - stateBytes) + of.next * stateBytes;
  const inStep = of.frozen * frozenBytes + stateBytes + copies + made;
  return of.own + Math.max(inStep, of.frozen * scoredBytes);
}

/**
 * About what steps take of the memory they are made in: of main memory all that the process takes. On other
 * devices the state of the next step is written beside the last one's.
 */
export function bytesTaken(engine: string, cost: StepBytes, memory: DeviceMemory): number {
  const { peakBytes, stateBytes = 0, scoredBytes = 0 } = cost;
  return memory.isMain ? processBytes(engine, cost) : Math.max(peakBytes + stateBytes, scoredBytes);
}

/** The same of a run with steps of several costs. */
export const mostTaken = (
  engine: string,
  costs: readonly StepBytes[],
  memory: DeviceMemory,
): number => Math.max(...costs.map(cost => bytesTaken(engine, cost, memory)));
