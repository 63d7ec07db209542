import type { DeviceMemory, Engine } from '../../src/engine';
import type { RunContext } from '../../src/run/context';
import type { Model } from '../../src/run/open/model';
import type { DataOptions } from '../../src/run/open/openData';
import { useEngine, useModel } from '../../src/run/open/resources';
import { useData, type RunData } from '../../src/run/score/runData';

/** Opens a checkpoint for the length of `use`. */
export async function withModel<T>(
  path: string,
  use: (model: Model) => T | Promise<T>,
): Promise<T> {
  await using model = await useModel(path);
  return await use(model);
}

/** Starts the engine for the length of `use`. */
export async function withEngine<T>(
  context: RunContext,
  use: (engine: Engine, memory: DeviceMemory) => Promise<T>,
): Promise<T> {
  await using started = await useEngine(context);
  return await use(started.engine, started.memory);
}

/** Opens data for the length of `use`. */
export async function withData<T>(
  engine: Engine,
  model: Model,
  options: DataOptions,
  use: (data: RunData) => Promise<T>,
): Promise<T> {
  await using data = await useData(engine, model, options);
  return await use(data);
}
