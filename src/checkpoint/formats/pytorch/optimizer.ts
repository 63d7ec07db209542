import type { Failures } from './failures';
import { flattened, TensorSearch } from './flatten';
import { PyDict, PyList, PyTuple, type PyValue } from './pickle/values';
import type { StateDict } from './content';

/** Numbers of parameters in a file; larger models have some thousands. */
const MAX_PARAMETERS = 100_000;

/** What stands in the header's metadata of an optimizer's state, as JSON. */
const groupsKey = 'param_groups';
const stepsKey = 'steps';

/**
 * The state of an optimizer as torch saves it: its tensors by `<number of the parameter>.<name>`, and in the
 * metadata its groups and the steps that are no tensors. Undefined for what is none, or has no tensors yet.
 */
export function findOptimizer(root: PyDict, fail: Failures): StateDict | undefined {
  const state = root.get('state');
  const groups = root.get('param_groups');
  if (!(state instanceof PyDict) || !(groups instanceof PyList)) return undefined;
  const search = new TensorSearch();
  if (!search.holds(state)) return undefined;
  const { tensors } = flattened(state, search, fail);
  const steps = [...state.entries].flatMap(([number, of]) => {
    const step = of instanceof PyDict ? of.get('step') : undefined;
    return typeof number === 'number' && typeof step === 'number' ? [[number, step] as const] : [];
  });
  return {
    tensors,
    notes: [],
    metadata: {
      [groupsKey]: JSON.stringify(groups.items.map(group => fieldsOf(group, fail))),
      [stepsKey]: JSON.stringify(Object.fromEntries(steps)),
    },
    problem: fail.unsupportedError(
      'it holds the state of an optimizer, not a model',
      'Give the folder that it lies in, or the file of the weights.',
    ),
  };
}

/** Numbers, flags and lists of numbers of a group; everything else of it is of no use here. */
function fieldsOf(group: PyValue, fail: Failures): Readonly<Record<string, unknown>> {
  if (!(group instanceof PyDict)) return {};
  const fields: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of group.entries) {
    if (typeof name !== 'string') continue;
    const items = value instanceof PyList || value instanceof PyTuple ? value.items : [value];
    if (items.length > MAX_PARAMETERS) {
      fail.corrupt(`it names more than ${MAX_PARAMETERS} parameters`);
    }
    const isPlain = items.every(item => typeof item === 'number' || typeof item === 'boolean');
    if (isPlain) fields[name] = items.length === 1 && items[0] === value ? value : items;
  }
  return fields;
}
