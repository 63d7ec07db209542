import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { UnsupportedError, UserError } from '../../../../../src/errors';
import { assertUserError, put, temporaryFolder } from '../../files';
import {
  archive,
  called,
  dict,
  named,
  oldFile,
  pickle,
  storage,
  tensor,
  text,
  tuple,
  whole,
} from './build';

const good = tensor(storage('0', 6), [6]);
const state = (value: string): Buffer => archive(pickle(dict({ w: good, x: value })));

/** Names by which pickles run programs or bring others in, and how a pickle gets at them. */
const calls: readonly (readonly [name: string, value: string])[] = [
  ['os.system', called('os', 'system', text('id'))],
  ['posix.system', called('posix', 'system', text('id'))],
  ['nt.system', called('nt', 'system', text('id'))],
  ['subprocess.Popen', called('subprocess', 'Popen', text('id'))],
  ['builtins.eval', called('builtins', 'eval', text('1'))],
  ['builtins.eval', called('__builtin__', 'eval', text('1'))],
  ['builtins.exec', called('builtins', 'exec', text('1'))],
  ['builtins.getattr', called('builtins', 'getattr', named('torch', 'load'), text('x'))],
  ['builtins.__import__', `${text('builtins')}${text('__import__')}\x93${tuple(text('os'))}R`],
  ['builtins.eval.__call__', `${text('builtins')}${text('eval.__call__')}\x93`],
  ['importlib.import_module', called('importlib', 'import_module', text('os'))],
  ['sys.modules', named('sys', 'modules')],
  ['pickle.loads', called('pickle', 'loads', text('x'))],
  ['os.system', 'ios\nsystem\n'],
  ['os.system', `${named('os', 'system')}${tuple(text('id'))}\x81`],
];

for (const [name, value] of calls) {
  test(`a pickle with ${JSON.stringify(value.slice(0, 30))} is refused, and ${name} named`, async t => {
    const folder = await temporaryFolder(t);
    const says = new RegExp(
      `wants to call "${name.replaceAll('.', '\\.')}".*nothing of it was run`,
    );
    const old = oldFile(dict({ w: good, x: value }), [['0', [1, 2, 3, 4, 5, 6]]]);
    for (const bytes of [state(value), old]) {
      await assertUserError(
        openCheckpoint(await put(folder, 'a.pt', bytes)),
        UnsupportedError,
        says,
      );
    }
  });
}

/** Names that are not on the list, harmless or not. */
const strangers: readonly (readonly [module: string, name: string])[] = [
  ['torch.storage', '_load_from_bytes'],
  ['torch.storage', 'TypedStorage'],
  ['torch', 'load'],
  ['torch.hub', 'load'],
  ['torch.jit', 'load'],
  ['torch._utils', '_rebuild_tensor_v9'],
  ['torch', 'FloatStorage.__class__'],
  ['torch', 'constructor'],
  ['torch', '__proto__'],
  ['numpy', 'load'],
  ['numpy.testing._private.utils', 'runstring'],
  ['functools', 'partial'],
  ['collections', 'namedtuple'],
  ['transformers.integrations', 'X'],
  ['', 'eval'],
];

for (const [module, name] of strangers) {
  test(`a pickle that needs ${module}.${name} is refused, and the name told`, async t => {
    const path = await put(await temporaryFolder(t), 'a.pt', state(named(module, name)));
    const { message } = await assertUserError(openCheckpoint(path), UnsupportedError, /needs "/);
    assert.ok(message.includes(`"${module}.${name}"`), message);
  });
}

/** Pickles that are none, or too much: what is wrong, the value, what is said. */
const pickles: readonly (readonly [what: string, value: string, says: RegExp])[] = [
  ['a call of a call', `${called('torch', 'Size', '(t')}${tuple()}R`, /calls what is no function/],
  ['a call of a dict', `}${tuple()}R`, /calls what is no function/],
  ['a call of a type', `${named('torch', 'FloatStorage')}${tuple()}R`, /calls what is no function/],
  ['a call of plain data', `${called('argparse', 'Namespace')}${tuple()}R`, /calls what is no fun/],
  ['a call without a tuple', `${named('torch', 'Size')}]R`, /calls without arguments/],
  ['a tensor of no storage', tensor('N', [6]), /a tensor in it has no storage/],
  ['a tensor of a number', tensor(whole(1), [6]), /a tensor in it has no storage/],
  ['a shape below zero', tensor(storage('0', 6), [-1]), /no usable shape or strides/],
  ['a stride below zero', tensor(storage('0', 6), [2], [-1], 1), /no usable shape or strides/],
  ['an offset below zero', tensor(storage('0', 6), [2], [1], -1), /no usable shape or strides/],
  ['fewer strides than axes', tensor(storage('0', 6), [2, 3], [1]), /no usable shape or strides/],
  ['33 axes', tensor(storage('0', 6), Array(33).fill(1), Array(33).fill(1)), /no usable shape/],
  ['a shape without end', tensor(storage('0', 6), [2 ** 40, 2 ** 40], [0, 0]), /no usable shape/],
  ['a stride without end', tensor(storage('0', 6), [3], [2 ** 53 - 1]), /no usable shape/],
  ['an offset without end', tensor(storage('0', 6), [3], [1], 2 ** 53 - 1), /no usable shape/],
  [
    'a shape of text',
    called(
      'torch._utils',
      '_rebuild_tensor_v2',
      storage('0', 6),
      'K\0',
      tuple(text('6')),
      tuple('K\x01'),
    ),
    /no usable shape/,
  ],
  [
    'a view behind its storage',
    tensor(storage('0', 6), [7]),
    /reaches to byte 28 of a storage that has 24/,
  ],
  ['an offset behind its storage', tensor(storage('0', 6), [2], [1], 5), /reaches to byte 28/],
  ['strides behind its storage', tensor(storage('0', 6), [2, 2], [5, 1]), /reaches to byte 28/],
  [
    'a tensor by its class',
    called('torch', 'Tensor'),
    /"x" is a tensor as versions .* before 0\.4/,
  ],
  [
    'a parameter of nothing',
    called('torch._utils', '_rebuild_parameter', 'N', '\x88'),
    /parameter in it has no tensor/,
  ],
  ['a storage in two ways', tensor(storage('0', 5), [5]), /"0" is described in two ways/],
  [
    'a storage of two types',
    tensor(storage('0', 6, named('torch', 'IntStorage')), [6]),
    /described in two ways/,
  ],
  ['an id that is a number', 'K\x01Q', /names something outside of it that is no storage/],
  ['an id of a module', `${tuple(text('module'), 'N', 'N', 'N')}Q`, /is no storage/],
  ['a storage of a dtype', storage('0', 6, named('torch', 'float32')), /is no storage/],
  ['a storage below zero', storage('1', -6), /is no storage/],
  ['a storage of 2^60', storage('1', 2 ** 60), /is no storage/],
  [
    'a storage of 2 GB that is not there',
    tensor(storage('1', 2 ** 29), [2 ** 29]),
    /holds no storage "1"/,
  ],
  ['a path as a key', tensor(storage('../../x', 6), [6]), /holds no storage "\.\.\/\.\.\/x"/],
  ['an opcode of no protocol', '\xff', /opcode that torch\.save does not write \(0xff\)/],
  ['an extension', '\x82\x01', /opcode that torch\.save does not write \(0x82\)/],
  ['a buffer from elsewhere', '\x97', /opcode that torch\.save does not write \(0x97\)/],
  ['an object of a class', `(${named('collections', 'OrderedDict')}o`, /\(0x6f\)/],
  ['an instance of a class that is known', '(icollections\nOrderedDict\n', /\(0x69\)/],
  ['protocol 9', '\x80\x09', /unknown protocol 9/],
  ['values that are not there', '0000R', /takes values that it did not make/],
  ['a mark that is not there', 't', /takes values that it did not make/],
  ['values from below a mark', '(R', /takes values that it did not make/],
  ['a memo that is not there', 'h\x63', /takes values that it did not make/],
  ['a memo of no number', 'gx\n', /takes values that it did not make/],
  ['a number of text', 'Iabc\n', /a number that is none/],
  ['a number of 4 GB', '\x8b\xff\xff\xff\xff', /a number of 4294967295 bytes/],
  ['a number of a megabyte of digits', `L${'9'.repeat(1e6)}L\n`, /number of over 1024 characters/],
  ['a name of a megabyte', named('a'.repeat(1e6), 'b'), /name or number of over 1024/],
  ['a string of 4 GB', 'X\xff\xff\xff\xff', /pickle ends too early/],
  ['a string of 2^63', `\x8d${'\xff'.repeat(7)}\x7f`, /pickle ends too early/],
  ['bytes of 2^63', `\x8e${'\xff'.repeat(7)}\x7f`, /pickle ends too early/],
  ['a string without quotes', 'Sabc\n', /a string without quotes/],
  ['items of a list', `](K\x01K\x02u`, /sets items of no dict/],
  ['items of a tensor', `${good}(K\x01K\x02u`, /sets items of no dict/],
  ['an item appended to a tuple', ')K\x01a', /appends to no list/],
  ['a key without a value', '}(K\x01u', /a key without a value/],
  [
    'pairs that are none',
    called('collections', 'OrderedDict', `](${whole(1)}e`),
    /a key without a value/,
  ],
  ['attributes of a number', 'K\x01}b', /gives attributes to what has none/],
  ['attributes of a name', `${named('torch', 'Size')}}b`, /gives attributes to what has none/],
];

for (const [what, value, says] of pickles) {
  test(`a pickle with ${what} is refused`, async t => {
    const path = await put(await temporaryFolder(t), 'a.pt', state(value));
    await assertUserError(openCheckpoint(path), UserError, says);
  });
}

/** Plain data as training checkpoints hold it beside tensors, of which nothing is read. */
const inert: readonly (readonly [what: string, value: string])[] = [
  ['arguments', `${called('argparse', 'Namespace')}}(${text('lr')}K\x01ub`],
  [
    'a number of numpy',
    called('numpy._core.multiarray', 'scalar', called('numpy', 'dtype', text('f8')), 'C\x01x'),
  ],
  [
    'an array of numpy',
    `${called('numpy.core.multiarray', '_reconstruct', named('numpy', 'ndarray'))}${tuple('K\x01')}b`,
  ],
  ['bytes of protocol 2', called('_codecs', 'encode', text('x'), text('latin1'))],
  ['a path', called('pathlib', 'PosixPath', text('/'))],
  ['a set', `\x8f(K\x01K\x02\x90`],
  ['a queue', `${called('collections', 'deque')}(K\x01K\x02e`],
  [
    'a dict with a default',
    `${called('collections', 'defaultdict', named('builtins', 'list'))}K\x01K\x02s`,
  ],
  [
    'a dict of Lightning',
    `${named('lightning_fabric.utilities.data', 'AttributeDict')})\x81(K\x01K\x02u`,
  ],
  ['a version of torch', `${named('torch.torch_version', 'TorchVersion')}${tuple(text('2'))}\x81`],
  ['a string of Python 2', 'U\x02\xff\xfe'],
  [
    'numbers of protocol 0',
    `(I01\nI-5\nL77777777777777777777777L\nF1.5\nFinf\nS'a\\x41'\nVab\\u6771\nt`,
  ],
  ['what is thrown away', '(K\x011(0K\x010K\x0220'],
];

for (const [what, value] of inert) {
  test(`${what} beside a tensor is passed over, and told of`, async t => {
    const found = await openCheckpoint(await put(await temporaryFolder(t), 'a.pt', state(value)));
    assert.deepEqual([...found.tensors.keys()], ['w']);
    assert.match(found.notes[0]!.message, /not read: "x"\.$/);
    await found.close();
  });
}
