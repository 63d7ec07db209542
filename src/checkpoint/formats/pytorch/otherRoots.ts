import type { Failures } from './failures';
import { isTensor } from './flatten';
import { PyList, PyTuple, type PyDict, type PyValue } from './pickle/values';

const STATE_DICT = 'Save what model.state_dict() gives: torch.save(model.state_dict(), file).';

/** @throws UnsupportedError that says what a file holds in place of a dict */
export function refuseRoot(root: PyValue, fail: Failures): never {
  const isList = root instanceof PyList || root instanceof PyTuple;
  const is = isTensor(root) ? 'a single tensor without a name' : isList ? 'a list' : 'no dict';
  return fail.unsupported(`it holds ${is}, not the tensors of a model by name`, STATE_DICT);
}

/** Files that trainers write beside a model's, by names that stand in them. */
const others: readonly (readonly [what: string, names: readonly string[]])[] = [
  ['the state of an optimizer', ['state', 'param_groups']],
  ['the state of a scaler of gradients', ['scale', 'growth_factor']],
  ['the state of a learning rate schedule', ['last_epoch', '_step_count']],
  ['the states of random number generators', ['python', 'numpy', 'cpu']],
];

/** @throws UnsupportedError that says what a file is that trainers write beside a model's */
export function refuseOtherDict(root: PyDict, fail: Failures): void {
  const [what] =
    others.find(([, names]) => names.every(name => root.get(name) !== undefined)) ?? [];
  if (what === undefined) return;
  fail.unsupported(
    `it holds ${what}, not a model`,
    'Give the folder that it lies in, or the file of the weights.',
  );
}
