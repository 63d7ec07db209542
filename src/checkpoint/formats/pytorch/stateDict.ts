import type { Note } from '../../../errors';
import { quoted, tensorNameProblem } from '../../names';
import type { Failures } from './failures';
import { flattened, isTensor, some, TensorSearch, type Flattened } from './flatten';
import { findOptimizer } from './optimizer';
import { refuseOtherDict, refuseRoot } from './otherRoots';
import { PyDict, type PyValue } from './pickle/values';
import type { StateDict } from './content';

/** What programs call the weights in a training checkpoint; the first that is there is taken. */
const weights = [
  ...['model', 'state_dict', 'model_state_dict', 'module', 'net', 'network', 'params', 'weights'],
  ...['net_state_dict', 'model_state', 'ema', 'model_ema', 'state_dict_ema', 'ema_state_dict'],
  ...['ema_model', 'params_ema'],
];

/** What they call tensors that are no model's. */
const besides = /optim|schedul|scaler|rng|random|sampler|callback|loops|hyper_?param|criterion/i;

/** What wrappers put before all names: DistributedDataParallel, torch.compile, Lightning Fabric. */
const wrappers = ['module.', '_orig_mod.', '_forward_module.'];

/** Something of a file with tensors in it. */
type Group = readonly [name: string, dict: PyDict];

/**
 * Finds the model's tensors in what a file holds: those it holds itself, or those of the entry that is
 * called as programs call a model's in a training checkpoint.
 * @throws UnsupportedError where there are none
 */
export function findStateDict(root: PyValue, fail: Failures): StateDict {
  if (!(root instanceof PyDict)) return refuseRoot(root, fail);
  const optimizer = findOptimizer(root, fail);
  if (optimizer) return optimizer;
  refuseOtherDict(root, fail);
  const search = new TensorSearch();
  const groups = [...root.entries].filter(
    (entry): entry is [string, PyDict] =>
      typeof entry[0] === 'string' && entry[1] instanceof PyDict && search.holds(entry[1]),
  );
  const byName = new Map<string, PyDict>(groups);
  const named = weights.find(name => byName.has(name));
  if (named !== undefined) return partOf(root, [named, byName.get(named)!], search, fail);
  if ([...root.entries.values()].some(isTensor)) {
    const { tensors, rest } = flattened(root, search, fail);
    return { tensors, notes: passedOver(rest) };
  }
  const models = groups.filter(([name]) => !besides.test(name));
  const [model, ...more] = models;
  if (!model) {
    return fail.unsupported(
      'it holds no tensors by name',
      'Save what model.state_dict() gives: torch.save(model.state_dict(), file).',
    );
  }
  return more.length > 0
    ? severalModels(root, models, search, fail)
    : partOf(root, model, search, fail);
}

function passedOver({ shown, count }: Flattened['rest']): Note[] {
  if (count === 0) return [];
  return [
    {
      message: `What stands besides tensors among them is not read: ${some(shown, count)}.`,
      remedy: 'Nothing is lost if the model does not need it.',
    },
  ];
}

const takeOut =
  'To use other tensors of it, save them alone: torch.save(checkpoint[name], file) after torch.load.';

/** Sentences on what a file holds and what is not read. */
function besidesOf(root: PyDict, taken: ReadonlySet<string>, search: TensorSearch): string {
  const others = [...root.entries]
    .map(([key, value]) => ({ name: typeof key === 'string' ? key : '…', value }))
    .filter(({ name }) => !taken.has(name));
  const holds = (value: PyValue): boolean => !isTensor(value) && search.holds(value);
  const withTensors = others.filter(({ value }) => holds(value)).map(({ name }) => name);
  const without = others.filter(({ value }) => !holds(value)).map(({ name }) => name);
  const hold = withTensors.length === 1 ? 'holds' : 'hold';
  return [
    ...(withTensors.length > 0
      ? [` ${some(withTensors)} ${hold} tensors too, which are not read.`]
      : []),
    ...(without.length > 0 ? [` It also holds ${some(without)}.`] : []),
  ].join('');
}

/** Takes one group of tensors and tells of all else that the file holds. */
function partOf(
  root: PyDict,
  [taken, dict]: Group,
  search: TensorSearch,
  fail: Failures,
): StateDict {
  const { tensors, rest } = flattened(dict, search, fail);
  const isLightning = taken === 'state_dict' && root.get('pytorch-lightning_version') !== undefined;
  const prefix = prefixOf([...tensors.keys()], isLightning);
  const bare = [...tensors].map(([name, tensor]) => [name.slice(prefix.length), tensor] as const);
  const without = prefix === '' ? '' : `, without the ${quoted(prefix)} before all of its names`;
  const message = `The model is what this training checkpoint holds as ${quoted(taken)}${without}.`;
  return {
    tensors: new Map(bare),
    notes: [
      { message: message + besidesOf(root, new Set([taken]), search), remedy: takeOut },
      ...passedOver(rest),
    ],
  };
}

/** Several groups of tensors, none of which is known to be the model: all of them. */
function severalModels(
  root: PyDict,
  models: readonly Group[],
  search: TensorSearch,
  fail: Failures,
): StateDict {
  const all = new PyDict();
  for (const [name, dict] of models) all.set(name, dict);
  const { tensors, rest } = flattened(all, search, fail);
  const names = models.map(([name]) => name);
  const message = `It holds tensors as ${some(names)}; all of these are listed, with those names before theirs.`;
  return {
    tensors,
    notes: [
      { message: message + besidesOf(root, new Set(names), search), remedy: takeOut },
      ...passedOver(rest),
    ],
  };
}

/** What wrappers put before all names; of a Lightning module also the attribute that holds the model. */
function prefixOf(names: readonly string[], isLightning: boolean): string {
  let prefix = '';
  for (const attribute of [...(isLightning ? ['model.'] : []), '', '']) {
    const words = attribute === '' ? wrappers : [attribute];
    const next = words.find(word => names.every(name => name.startsWith(prefix + word)));
    prefix += next ?? '';
  }
  const isUsable = names.every(name => tensorNameProblem(name.slice(prefix.length)) === undefined);
  return isUsable ? prefix : '';
}
