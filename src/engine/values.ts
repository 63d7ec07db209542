import { inputName } from '../graph/build/sources';
import { keptInputs, type Program } from '../graph/program';
import { elementCount } from '../graph/shape';
import type { Tensor, TensorData } from '../graph/tensor';
import type { NamedData } from './engine';

/** A value for an Input, of its count and type. */
export interface InputValue {
  readonly name: string;
  readonly tensor: Tensor;
  readonly data: TensorData;
}

/** What an executable keeps between its runs. */
export interface KeptValues {
  /** Every frozen input and all state, by name. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Names of the state, in the program's order. */
  readonly stateNames: readonly string[];
}

/** What an executable of a program keeps between its runs. */
export const keptValues = (program: Program): KeptValues => ({
  inputs: new Map(keptInputs(program).map(tensor => [inputName(tensor), tensor])),
  stateNames: program.state.map(({ input }) => inputName(input)),
});

/** Zeros for the state that starts so; made one by one, since state may be large. */
export function* zeroState({ state }: Program): Generator<InputValue> {
  for (const { input, startsAtZero = false } of state) {
    if (!startsAtZero) continue;
    const { shape, type } = input;
    const count = elementCount(shape);
    const data = type === 'int32' ? new Int32Array(count) : new Float32Array(count);
    yield { name: inputName(input), tensor: input, data };
  }
}

/**
 * What `Executable.load` was given. Throws before anything is kept where the program keeps no input of
 * a name, or count or type differ.
 */
export const valuesToKeep = ({ inputs }: KeptValues, values: NamedData): InputValue[] =>
  Object.entries(values).map(([name, data]) => {
    const tensor = inputs.get(name);
    if (!tensor) throw new Error(`The program keeps no input "${name}"`);
    return checked({ name, tensor, data });
  });

/** The feeds of one run. Throws where one is missing, or count or type differ. */
export const valuesToFeed = ({ feeds }: Program, values: NamedData): InputValue[] =>
  feeds.map(tensor => {
    const name = inputName(tensor);
    const data = values[name];
    if (!data) throw new Error(`The run was not fed "${name}"`);
    return checked({ name, tensor, data });
  });

/** What is kept by a name. Throws while nothing was loaded. */
export function loaded<T>(resident: ReadonlyMap<string, T>, name: string): T {
  const value = resident.get(name);
  if (value === undefined) throw new Error(`"${name}" was never loaded`);
  return value;
}

function checked(value: InputValue): InputValue {
  const { name, tensor, data } = value;
  if (data.length !== elementCount(tensor.shape)) {
    throw new Error(`"${name}" takes [${tensor.shape.join(', ')}], got ${data.length} values`);
  }
  if ((data instanceof Int32Array ? 'int32' : 'float32') !== tensor.type) {
    throw new Error(`"${name}" takes ${tensor.type}`);
  }
  return value;
}
