import { quoted, tensorNameProblem } from '../../names';
import { MAX_TENSORS } from '../../tensor';
import type { Failures } from './failures';
import { PyDict, PyList, PyTuple, TensorView, UnreadTensor, type PyValue } from './pickle/values';

/** Levels within a value that are looked at for tensors. */
const MAX_LOOK = 64;
/** Levels of dicts within the weights. */
const MAX_DEPTH = 8;
/** Names that a message shows. */
const SHOWN = 6;

/** Whether a value is a tensor. */
export const isTensor = (value: PyValue): value is TensorView | UnreadTensor =>
  value instanceof TensorView || value instanceof UnreadTensor;

/** Up to six names for a message, with how many more there are. */
export function some(names: readonly string[], count = names.length): string {
  const shown = names.slice(0, SHOWN).map(quoted).join(', ');
  return count > SHOWN ? `${shown} and ${count - SHOWN} more` : shown;
}

/** Tells which dicts, lists and tuples have a tensor in them; each of them is looked at once. */
export class TensorSearch {
  private readonly found = new Map<PyValue, boolean>();

  holds(value: PyValue, depth = 0): boolean {
    if (isTensor(value)) return true;
    const known = this.found.get(value);
    if (known !== undefined) return known;
    const isDict = value instanceof PyDict;
    if (!isDict && !(value instanceof PyList) && !(value instanceof PyTuple)) return false;
    this.found.set(value, false);
    if (depth === MAX_LOOK) return false;
    for (const inner of isDict ? value.entries.values() : value.items) {
      if (!this.holds(inner, depth + 1)) continue;
      this.found.set(value, true);
      return true;
    }
    return false;
  }
}

/** Tensors by name, and what else stood among them. */
export interface Flattened {
  readonly tensors: ReadonlyMap<string, TensorView>;
  /** The names of it, as far as they are worth showing, and how many there are. */
  readonly rest: { readonly shown: readonly string[]; readonly count: number };
}

/**
 * The tensors in a dict and in the dicts in it, with the names of all that leads to them.
 * @throws CorruptFileError for names that no tensor may have, UnsupportedError for tensors that are not read
 */
export function flattened(dict: PyDict, search: TensorSearch, fail: Failures): Flattened {
  const tensors = new Map<string, TensorView>();
  const shown: string[] = [];
  let count = 0;
  const seen = new Set<PyDict>();
  const passOver = (name: string): void => {
    count++;
    if (shown.length < SHOWN) shown.push(name);
  };
  const add = (name: string, tensor: TensorView): void => {
    const problem = tensorNameProblem(name);
    if (problem !== undefined) fail.corrupt(`the tensor name ${quoted(name)} ${problem}`);
    if (tensors.has(name)) fail.corrupt(`it holds two tensors called ${quoted(name)}`);
    if (tensors.size === MAX_TENSORS) fail.corrupt(`it holds more than ${MAX_TENSORS} tensors`);
    tensors.set(name, tensor);
  };
  const within = (at: PyDict, before: string, depth: number): void => {
    if (depth === MAX_DEPTH) fail.corrupt(`its dicts nest more than ${MAX_DEPTH} levels deep`);
    seen.add(at);
    for (const [key, value] of at.entries) {
      const isName = typeof key === 'string' || typeof key === 'number';
      const name = before + (isName ? String(key) : '…');
      const isGroup = value instanceof PyDict && !seen.has(value) && search.holds(value);
      if (isName && isGroup) within(value, `${name}.`, depth + 1);
      else if (isName && value instanceof UnreadTensor) refuse(name, value, fail);
      else if (isName && value instanceof TensorView) add(name, value);
      else passOver(name);
    }
  };
  within(dict, '', 0);
  return { tensors, rest: { shown, count } };
}

function refuse(name: string, { what }: UnreadTensor, fail: Failures): never {
  return fail.unsupported(
    `tensor ${quoted(name)} is ${what}, which is not read here`,
    'Load it in Python and save it as a plain tensor, after dequantize() or to_dense() where it is quantised or sparse.',
  );
}
