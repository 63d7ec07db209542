import type { Engine } from '../engine';
import { UnsupportedError } from '../errors';

/** Names that `--engine` knows. */
export const engineNames = ['auto', 'cpu', 'webgpu', 'cuda', 'tfjs'] as const;
export type EngineName = (typeof engineNames)[number];

/** Which engine computes, as options say it. */
export interface EngineOptions {
  readonly engine: EngineName;
  readonly threads?: number;
}

/** Throws UnsupportedError for engines that are not there, before anything is opened. */
export function engineFactory({ engine, threads }: EngineOptions): () => Promise<Engine> {
  if (engine !== 'auto' && engine !== 'cpu') {
    throw new UnsupportedError(
      `This version has no ${engine} engine.`,
      'Leave --engine out, or give --engine cpu.',
    );
  }
  return async () => {
    // Loads native code, which commands that compute nothing should not wait for.
    const { onnxRuntimeCpu } = await import('../engine');
    return onnxRuntimeCpu(threads === undefined ? {} : { threads });
  };
}
