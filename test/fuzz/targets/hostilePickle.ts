import {
  called,
  dict,
  named,
  storage,
  tensor,
  text,
  tuple,
  whole,
} from '../../unit/checkpoint/formats/pytorch/build';
import type { Draw } from '../mutate';

/** Opcodes of a pickle, one character a byte. */
type Code = string;

const float = named('torch', 'FloatStorage');
const good = tensor(storage('0', 6), [6]);

/** What Python would run, with arguments that make a file: a reader that ran any of them is found out. */
const programs = (marker: string): readonly (readonly [string, string, readonly Code[]])[] => {
  const shell = text(`touch ${marker}`);
  const python = text(`open(${JSON.stringify(marker)}, 'w').close()`);
  return [
    ...(['os', 'posix', 'nt'] as const).map(module => [module, 'system', [shell]] as const),
    ['os', 'popen', [shell]],
    ['os', 'mkdir', [text(marker)]],
    ['posix', 'mkdir', [text(marker)]],
    ['pathlib', 'Path.touch', [text(marker)]],
    ...(['builtins', '__builtin__'] as const).flatMap(module => [
      [module, 'eval', [text(`open(${JSON.stringify(marker)}, 'w')`)]] as const,
      [module, 'exec', [python]] as const,
      [module, 'open', [text(marker), text('w')]] as const,
      [module, 'getattr', [named('os', 'path'), text('system')]] as const,
      [module, '__import__', [text('os')]] as const,
    ]),
    ['importlib', 'import_module', [text('os')]],
    ['subprocess', 'Popen', [`](${text('touch')}${text(marker)}e`]],
    ['subprocess', 'check_output', [`](${text('touch')}${text(marker)}e`]],
    ['runpy', '_run_code', [python, '}']],
    ['shutil', 'copy', [text('/etc/hostname'), text(marker)]],
    ['torch', 'load', [text(marker)]],
    ['torch', 'save', [']', text(marker)]],
    ['torch.hub', 'load', [text('x/y'), text('z')]],
    ['torch.storage', '_load_from_bytes', [`C\x01x`]],
    ['torch.jit.unsupported_tensor_ops', 'execWrapper', [python, '}', '}']],
    ['torch._utils', '_import_dotted_name', [text('os.system')]],
    ['torch.serialization', 'os.system', [shell]],
    ['numpy.testing._private.utils', 'runstring', [python, '}']],
    ['numpy.core.multiarray', '_reconstruct', [named('os', 'system'), shell]],
    ['operator', 'methodcaller', [text('system'), shell]],
    ['functools', 'partial', [named('os', 'system'), shell]],
    ['webbrowser', 'open', [text('http://localhost')]],
    ['__main__', 'Model', []],
  ];
};

/** One way to have a name called, or an object made of it. */
function call([module, name, args]: readonly [string, string, readonly Code[]], draw: Draw): Code {
  const given = tuple(...args);
  const global = draw.chance(0.3) ? `${text(module)}${text(name)}\x93` : named(module, name);
  switch (draw.below(8)) {
    case 0:
      return `${global}${given}\x81`;
    case 1:
      return `${global}${given}}\x92`;
    case 2:
      return `(${args.join('')}i${module}\n${name}\n`;
    case 3:
      return `(${global}${args.join('')}o`;
    case 4:
      return `${called('collections', 'OrderedDict')}${global}${given}Rb`;
    case 5:
      return called('torch._tensor', '_rebuild_from_type_v2', global, global, given, '}');
    default:
      return `${global}${given}R`;
  }
}

const number = (bytes: number, value: number): Code => {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntLE(value, 0, bytes);
  return buffer.toString('latin1');
};

/** Numbers that no tensor has. */
const counts = [
  ...[0, 1, 5, 7, 2 ** 29, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 53 - 1, 2 ** 53, -1, -(2 ** 40)],
  ...[2n ** 62n, -(2n ** 63n)],
];

/** Values that refer to themselves, or grow. */
const recursive: readonly ((draw: Draw) => Code)[] = [
  () => ']q\x01h\x01a',
  () => `}q\x01${text('x')}h\x01s`,
  () => `}q\x01(${text('w')}${good}${text('x')}h\x01u`,
  () => `](K\x01q\x01h\x01h\x01eq\x02h\x02a`,
  draw => `N${'\x94'.repeat(draw.below(3000))}`,
  draw => `Nr${number(4, draw.pick([0, 255, 2 ** 16, 2 ** 31, 2 ** 32 - 1]))}`,
  draw => `Np${draw.pick(['0', '99999999999', '-1', '1e9', 'x', ''])}\n`,
  draw => `j${number(4, draw.below(2 ** 32))}`,
  draw => `]q\x01${'(h\x01h\x01h\x01eq\x01'.repeat(draw.below(200))}`,
  // Every level holds the one below it twice.
  draw =>
    `]q\x00${Array.from({ length: draw.below(60) }, (_, i) => `0](h${String.fromCharCode(i)}h${String.fromCharCode(i)}eq${String.fromCharCode(i + 1)}`).join('')}`,
  draw =>
    `${dict({ t: good })}q\x00${Array.from({ length: draw.below(60) }, (_, i) => `0}(${text('a')}h${String.fromCharCode(i)}${text('b')}h${String.fromCharCode(i)}uq${String.fromCharCode(i + 1)}`).join('')}`,
];

/** Values that are deep, or state more than there is. */
const large: readonly ((draw: Draw) => Code)[] = [
  draw => '('.repeat(draw.below(3000)),
  draw => `${']'.repeat(1 + draw.below(5000))}`,
  draw => `${'(('.repeat(draw.below(450))}N${'tt'.repeat(draw.below(450))}`,
  draw => `N${'\x85'.repeat(draw.below(20_000))}`,
  draw => {
    const depth = draw.below(5000);
    return `${']'.repeat(depth + 1)}${'a'.repeat(depth)}`;
  },
  draw => Array.from({ length: draw.below(14) }).reduce<Code>(inner => dict({ k: inner }), good),
  draw => `\x8b${number(4, draw.pick([0, 9, 1025, 2 ** 31 - 1, 2 ** 32 - 1]))}`,
  draw => `\x8a\xff${'\xff'.repeat(draw.below(256))}`,
  draw => `${draw.pick(['X', 'T', 'B'])}${number(4, draw.pick([2 ** 31 - 1, 2 ** 32 - 1, 1000]))}`,
  draw =>
    `${draw.pick(['\x8d', '\x8e', '\x96', '\x95'])}${'\xff'.repeat(7)}${draw.pick(['\x00', '\x7f', '\xff'])}`,
  draw => `${draw.pick(['L', 'I'])}${'9'.repeat(draw.below(1500))}${draw.pick(['L', ''])}\n`,
  draw => `F${draw.pick(['inf', '-nan', '1e999', '0x10', ''])}\n`,
];

/** Tensors that are not what they say. */
const tensors: readonly ((draw: Draw) => Code)[] = [
  draw => tensor(storage('0', Number(draw.pick([6, 2 ** 29, 2 ** 40]))), [6]),
  draw =>
    tensor(
      `${tuple(text('storage'), float, text('0'), text('cpu'), whole(draw.pick(counts)))}Q`,
      [6],
    ),
  draw => rebuilt([whole(draw.pick(counts)), tuple(whole(6)), tuple(whole(1))]),
  draw => rebuilt([whole(0), tuple(whole(draw.pick(counts)), whole(2)), tuple(whole(1), whole(0))]),
  draw =>
    rebuilt([
      whole(0),
      tuple(whole(2), whole(2)),
      tuple(whole(draw.pick(counts)), whole(draw.pick(counts))),
    ]),
  draw =>
    rebuilt([
      whole(0),
      tuple(...Array.from({ length: draw.below(80) }, () => whole(1))),
      tuple(whole(1)),
    ]),
  () => rebuilt([whole(0), 'N', tuple(whole(1))]),
  draw => rebuilt([whole(0), tuple(whole(2 ** draw.below(40))), tuple(whole(0))]),
  draw =>
    tensor(storage(draw.pick(['0', '1', '../0', '/etc/passwd', '', 'x'.repeat(500)]), 6), [6]),
  draw =>
    tensor(
      storage(
        '0',
        6,
        named('torch', draw.pick(['LongStorage', 'ByteStorage', 'QInt8Storage', 'os', 'float32'])),
      ),
      [6],
    ),
  () => called('torch._utils', '_rebuild_parameter', good, '\x88', '}'),
  () => called('torch._utils', '_rebuild_sparse_tensor', 'N', 'N'),
  () => `${good}}b`,
];

const rebuilt = (of: readonly Code[]): Code =>
  called('torch._utils', '_rebuild_tensor_v2', storage('0', 6), ...of, '\x89', '}');

/** Places that a value can stand at. */
const places: readonly ((value: Code) => Code)[] = [
  value => dict({ w: good, x: value }),
  value => dict({ model: dict({ w: good }), extra: value }),
  value => dict({ w: good, x: `](${value}e` }),
  value => dict({ w: good, x: value, y: value }),
  value => `}(${value}${good}u`,
  value => value,
  value => `${dict({ w: good })}${value}b`,
  value => `${value}0${dict({ w: good })}`,
  value => called('collections', 'OrderedDict', `](${tuple(text('w'), value)}e`),
  value => dict({ w: `${tuple(text('storage'), float, text('0'), value, whole(6))}Q` }),
  value =>
    dict({
      w: called(
        'torch._utils',
        '_rebuild_tensor_v2',
        storage('0', 6),
        whole(0),
        tuple(whole(6)),
        tuple(whole(1)),
        '\x89',
        value,
      ),
    }),
  value => dict({ w: called('torch._utils', '_rebuild_parameter', value, '\x88', '}') }),
  value => dict({ w: called('torch.Size', value) }),
];

/** A pickle's value that runs a program in Python, has no end, or says what is not so. */
export function hostileValue(marker: string, draw: Draw): Code {
  const runs = programs(marker);
  const one = (): Code => {
    const kind = draw.below(10);
    if (kind < 4) return call(draw.pick(runs), draw);
    // One call in the arguments of another.
    if (kind < 5) {
      const [module, name] = draw.pick(runs);
      return call([module, name, [call(draw.pick(runs), draw)]], draw);
    }
    if (kind < 6) return draw.pick(recursive)(draw);
    return draw.pick(kind < 7 ? large : tensors)(draw);
  };
  const value = draw.pick(places)(one());
  return draw.chance(0.2) ? draw.pick(places)(value) : value;
}
