import type { ChosenEngine, Precision } from '../engine';
import type { EngineChoice } from '../protocol/engines';

/** Which engine computes, as options say it. */
export interface EngineOptions {
  readonly engine: EngineChoice;
  readonly threads?: number;
  readonly engineFolder?: string;
  readonly precision?: Precision;
}

/** Starts the engine that options name, once a command needs it. */
export function engineFactory(options: EngineOptions): () => Promise<ChosenEngine> {
  const { engine, threads, engineFolder: folder, precision } = options;
  return async () => {
    const { openEngine } = await import('../engine/open');
    return openEngine({ engine, threads, folder, precision });
  };
}
