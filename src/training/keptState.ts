import type { Executable, NamedData } from '../engine';
import { allFinite } from '../finite';
import type { TensorData } from '../graph';

/** Parameters and moments, one after the other: all of them at once may be as large as memory. */
export type StateTensors = AsyncIterable<readonly [name: string, data: TensorData]>;

/** A state that can be read again. */
export interface KeptState {
  read(): Promise<NamedData>;
  /** Frees what it takes; it is not read after. */
  forget(): Promise<void>;
}

/** Keeps a state; undefined where that was refused, which whoever keeps has told. */
export type KeepState = (state: StateTensors) => Promise<KeptState | undefined>;

/** The state of an executable, copied tensor by tensor. */
export async function* stateTensors(executable: Executable): StateTensors {
  for (const name of executable.stateNames) {
    yield [name, (await executable.readState([name]))[name]!];
  }
}

/** Keeps copies in memory. */
export const keepInMemory: KeepState = async state => {
  const copy: Record<string, TensorData> = {};
  for await (const [name, data] of state) copy[name] = data;
  return { read: () => Promise.resolve(copy), forget: () => Promise.resolve() };
};

/** True when no value of the state is NaN or infinite. */
export async function isFiniteState(state: StateTensors): Promise<boolean> {
  for await (const [, data] of state) if (!allFinite(data)) return false;
  return true;
}
