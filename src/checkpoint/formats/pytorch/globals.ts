import { quoted } from '../../names';
import type { Failures } from './failures';
import { bytesOf, type Budget } from './pickle/budget';
import {
  Callable,
  Opaque,
  PyDict,
  PyList,
  PyTuple,
  UnreadTensor,
  type PyValue,
} from './pickle/values';
import { rebuildFromType, rebuildFunctions } from './tensors';
import { dtypeOf, storageKindOf } from './types';

/** What Python 2 called modules. */
const renamedModules: ReadonlyMap<string, string> = new Map([
  ['__builtin__', 'builtins'],
  ['copy_reg', 'copyreg'],
  ['torch.tensor', 'torch._tensor'],
]);

/** Kinds of dict, which hold what they hold. */
const dicts: ReadonlySet<string> = new Set([
  'collections.OrderedDict',
  'collections.Counter',
  'collections.defaultdict',
  'builtins.dict',
  'lightning_fabric.utilities.data.AttributeDict',
  'lightning.fabric.utilities.data.AttributeDict',
  'pytorch_lightning.utilities.parsing.AttributeDict',
]);

/** Plain data beside the tensors of training checkpoints. Nothing of theirs is read. */
const inert: ReadonlySet<string> = new Set([
  '_codecs.encode',
  'argparse.Namespace',
  'collections.deque',
  'types.SimpleNamespace',
  ...['bool', 'bytearray', 'bytes', 'complex', 'float', 'frozenset', 'int'].map(builtin),
  ...['list', 'object', 'range', 'set', 'slice', 'str', 'tuple'].map(builtin),
  ...['date', 'datetime', 'time', 'timedelta', 'timezone'].map(name => `datetime.${name}`),
  ...['pathlib', 'pathlib._local'].flatMap(module =>
    ['Path', 'PurePath', 'PosixPath', 'PurePosixPath', 'WindowsPath', 'PureWindowsPath'].map(
      name => `${module}.${name}`,
    ),
  ),
  ...['numpy.core', 'numpy._core'].flatMap(module => [
    `${module}.multiarray.scalar`,
    `${module}.multiarray._reconstruct`,
    `${module}.numeric._frombuffer`,
  ]),
  'numpy.dtype',
  'numpy.ndarray',
  'torch.device',
  'torch.serialization._get_layout',
  'torch.torch_version.TorchVersion',
  ...['affine', 'symmetric'].flatMap(scheme => [
    `torch.per_tensor_${scheme}`,
    `torch.per_channel_${scheme}`,
  ]),
  'torch.per_channel_affine_float_qparams',
]);

/** Classes of tensors, named by what rebuilds tensors of them. */
const tensorClasses: readonly string[] = [
  'torch.Tensor',
  'torch._tensor.Tensor',
  'torch.nn.parameter.Parameter',
];

function builtin(name: string): string {
  return `builtins.${name}`;
}

const isNumpyType = (full: string): boolean =>
  /^numpy\.(bool_?|u?int\d+|float\d+|complex\d+|str_|bytes_)$/.test(full) ||
  /^numpy\.dtypes\.\w+DType$/.test(full);

/** Modules whose names in a pickle run programs or reach the system. */
const dangerous =
  /^(os|posix|nt|sys|builtins|importlib|subprocess|runpy|pty|shutil|socket|ctypes|commands|code|codeop|webbrowser|pickle|_pickle|marshal)\./;

/** What the names in a file's pickles stand for. @throws UnsupportedError for any other name */
export function globalsOf(
  fail: Failures,
  budget: Budget,
): (module: string, name: string) => PyValue {
  const calls = new Map(
    [...rebuildFunctions(fail)].map(([name, call]) => [`torch._utils.${name}`, call]),
  );
  calls.set('torch._tensor._rebuild_from_type_v2', args => rebuildFromType(args, fail));
  calls.set('torch.Size', ([items]) => sizeOf(items, budget));
  for (const name of dicts) calls.set(name, args => dictOf(args, fail, budget));
  for (const name of tensorClasses) {
    calls.set(
      name,
      () => new UnreadTensor('a tensor as versions of torch before 0.4 described it'),
    );
  }
  const known = new Map<string, PyValue>();
  return (module, name) => {
    const full = `${renamedModules.get(module) ?? module}.${name}`;
    const value = known.get(full) ?? globalNamed(full, calls, fail);
    known.set(full, value);
    return value;
  };
}

function globalNamed(
  full: string,
  calls: ReadonlyMap<string, (args: readonly PyValue[]) => PyValue>,
  fail: Failures,
): PyValue {
  const call = calls.get(full);
  if (call) return new Callable(full, call);
  if (inert.has(full) || isNumpyType(full)) return new Callable(full, () => new Opaque(full));
  const [, module, name] = /^(torch|torch\.cuda|torch\.storage)\.(\w+)$/.exec(full) ?? [];
  const kind = name === undefined ? undefined : storageKindOf(name);
  const dtype = module === 'torch' && name !== undefined ? dtypeOf(name) : undefined;
  return kind ?? dtype ?? refuse(full, fail);
}

/** A copy: the items of a list may change afterwards, those of a tuple never do. */
function sizeOf(items: PyValue | undefined, budget: Budget): PyTuple {
  if (items instanceof PyTuple) return items;
  if (!(items instanceof PyList)) return new PyTuple([]);
  budget.spend(bytesOf.item * items.items.length);
  return new PyTuple([...items.items]);
}

/** An OrderedDict of Python 2 is called with its pairs; all others are filled later. */
function dictOf(args: readonly PyValue[], fail: Failures, budget: Budget): PyDict {
  const dict = new PyDict();
  const [pairs] = args;
  if (!(pairs instanceof PyList)) return dict;
  budget.spend(bytesOf.entry * pairs.items.length);
  for (const pair of pairs.items) {
    const items = pair instanceof PyList || pair instanceof PyTuple ? pair.items : [];
    const [key, value] = items;
    if (items.length !== 2 || key === undefined || value === undefined) {
      return fail.corrupt('a dict in its pickle has a key without a value');
    }
    dict.set(key, value);
  }
  return dict;
}

const SAVE_ALONE =
  'If you trust where it comes from, load it in Python where that class is known and save the tensors alone: torch.save(model.state_dict(), file), or better model.save_pretrained(folder).';

function refuse(full: string, fail: Failures): never {
  if (/\.\w*(TrainingArguments|TrainingArgs)$/.test(full)) {
    return fail.unsupported(
      `it holds the settings of a training (${quoted(full)}), not a model`,
      'Give the folder that it lies in, or the file of the weights.',
    );
  }
  if (dangerous.test(full)) {
    return fail.unsupported(
      `its pickle wants to call ${quoted(full)}, which no checkpoint needs; nothing of it was run`,
      'It may be an attack: do not load it with Python either, and get the model from where you trust it, as safetensors.',
    );
  }
  if (/^(__main__|torch\.nn\.modules)\./.test(full)) {
    return fail.unsupported(
      `it holds a whole model as a Python object (${quoted(full)}), not its tensors by name`,
      SAVE_ALONE,
    );
  }
  return fail.unsupported(
    `its pickle needs ${quoted(full)}, which is not among the names that are allowed here; nothing of it was run`,
    SAVE_ALONE,
  );
}
