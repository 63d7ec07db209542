import { CorruptFileError } from '../../../errors';
import { quoted } from '../../names';
import { isList, type Value, type Values } from './values';

/** What the metadata of a file says under its architecture's name, and which tensors it has. */
export class Facts {
  private readonly asked = new Set<string>();

  constructor(
    private readonly values: Values,
    private readonly prefix: string,
    private readonly tensors: ReadonlySet<string>,
  ) {}

  readonly hasTensor = (name: string): boolean => this.tensors.has(name);

  /** An entry's number; undefined where there is none. @throws CorruptFileError when it is something else */
  readonly number = (entry: string): number | undefined => {
    const value = this.value(entry);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    const is = isList(value) ? 'a list, of one for each layer perhaps' : quoted(String(value));
    throw new CorruptFileError(
      `The metadata entry ${quoted(this.prefix + entry)} is ${is}, not a number.`,
      'Convert the model anew with a current version of llama.cpp, or use its original weights.',
    );
  };

  /** An entry's value, whatever it is. */
  readonly value = (entry: string): Value | undefined => {
    this.asked.add(entry);
    return this.values.get(this.prefix + entry);
  };

  /** Entries under the architecture's name that nobody asked for. */
  unasked(): string[] {
    return [...this.values.keys()]
      .filter(key => key.startsWith(this.prefix))
      .map(key => key.slice(this.prefix.length))
      .filter(entry => !this.asked.has(entry));
  }
}
