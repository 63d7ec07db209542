import type { Command } from 'commander';
import { formatBytes, formatCount } from '../format';
import { printLine, type Host } from '../host';
import { addOutputOptions, type OutputOptions } from '../options';
import {
  nameOf,
  tensorChanges,
  type CheckpointDifference,
  type Distance,
  type TensorChange,
  type TensorDifference,
} from '../../protocol/differences';
import { commandLine } from '../../remedy/commandLine';
import { worded } from '../../remedy/worded';
import { formatFields, formatTable } from '../table';

/** Tensors that moved most, of which a summary tells. */
const toldOf = 5;

/** `ligo diff`: tells what differs between the weights of two checkpoints. */
export function addDiffCommand(program: Command, host: Host): void {
  const command = program
    .command('diff <first> <second>')
    .description('say what differs between two checkpoints: tensors, shapes, types, values')
    .option('--tensors', 'list every tensor');
  addOutputOptions(command).action(
    async (before: string, after: string, options: OutputOptions & { tensors?: boolean }) => {
      const { checkpointDifference } = await import('../../inspect/difference');
      const show = progressOn(host);
      const difference = worded<CheckpointDifference>(
        await checkpointDifference(
          { before, after },
          { signal: host.signal, onProgress: ({ bytes, of }) => show.tell(bytes, of) },
        ).finally(show.clear),
        commandLine,
      );
      const text = options.json
        ? JSON.stringify(difference)
        : describe(difference, options.tensors ?? false);
      printLine(host, text);
    },
  );
}

/** One line on a terminal, of how far it is; nothing where nobody watches. */
function progressOn({ stderr }: Host): {
  readonly tell: (bytes: number, of: number) => void;
  readonly clear: () => void;
} {
  if (!stderr.isTTY) return { tell: () => undefined, clear: () => undefined };
  const write = (text: string): void => void stderr.write(`\r\x1b[K${text}`);
  return {
    tell: (bytes, of) => write(`  ${formatBytes(bytes)} of ${formatBytes(of)}`),
    clear: () => write(''),
  };
}

/** What became of tensors, as people read it. */
const words: Record<TensorChange, string> = {
  removed: 'in the first alone',
  added: 'in the second alone',
  reshaped: 'of another shape',
  retyped: 'of another type',
  unreadable: 'not read as numbers',
  moved: 'of other values',
  identical: 'identical',
};

function describe(difference: CheckpointDifference, withTensors: boolean): string {
  const { before, after, tensors, whole, notes } = difference;
  const count = (change: TensorChange): number =>
    tensors.filter(tensor => tensor.change === change).length;
  const fields = formatFields([
    ['first', before],
    ['second', after],
    ...tensorChanges.map((change): [string, string | undefined] => [
      words[change],
      count(change) > 0 ? formatCount(count(change)) : undefined,
    ]),
    ['all compared', whole && distanceText(whole)],
  ]);
  const noteLines = notes.map(({ message, remedy }) => `  ${message} ${remedy}`);
  return [
    fields,
    ...(noteLines.length > 0 ? [`Notes:\n${noteLines.join('\n')}`] : []),
    ...(withTensors ? [tensorTable(tensors)] : mostMoved(tensors)),
  ].join('\n\n');
}

function distanceText(distance: Distance): string {
  const { compared } = distance;
  const [relative, cosine, largest] = numbers(distance) as [string, string, string];
  const parts = [
    `moved by ${relative} of the first's norm`,
    `cosine ${cosine}`,
    `largest difference ${largest}`,
    `${formatCount(compared)} values`,
  ];
  return [...parts, ...notFiniteText(distance)].join(', ');
}

const notFiniteText = ({ notFinite: { before, after } }: Distance): string[] =>
  before + after > 0
    ? [
        `not finite and left out: ${formatCount(before)} in the first, ${formatCount(after)} in the second`,
      ]
    : [];

const numbers = ({ relative, cosine, largest }: Distance): readonly string[] => [
  digits(relative),
  digits(cosine, 7),
  digits(largest),
];

/** A number with the digits worth comparing. */
function digits(value: number, count = 4): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(count))) : String(value);
}

/** Those that moved farthest, relative to what they were. */
function mostMoved(tensors: readonly TensorDifference[]): string[] {
  const far = tensors
    .filter(({ change, distance }) => change === 'moved' && distance !== undefined)
    .sort((a, b) => b.distance!.relative - a.distance!.relative)
    .slice(0, toldOf);
  return far.length > 0 ? [`Moved most (--tensors lists all):\n${tensorTable(far)}`] : [];
}

const tensorTable = (tensors: readonly TensorDifference[]): string =>
  formatTable(
    [
      ['tensor', 'is', 'type', 'shape', 'relative', 'cosine', 'largest', 'not finite'],
      ...tensors.map(tensor => [
        nameText(tensor),
        words[tensor.change],
        both(tensor, ({ type }) => type),
        both(tensor, ({ shape }) => `[${shape.join(', ')}]`),
        ...(tensor.distance ? numbers(tensor.distance) : ['', '', '']),
        notFiniteCounts(tensor),
      ]),
    ],
    4,
  );

/** Its name, and the other one where the second calls it otherwise. */
function nameText(tensor: TensorDifference): string {
  const { before, after } = tensor;
  const isRenamed = before && after && before.name !== after.name;
  return isRenamed ? `${before.name} = ${after.name}` : nameOf(tensor);
}

/** Of the first and of the second, once where they are the same. */
function both(
  { before, after }: TensorDifference,
  textOf: (row: NonNullable<TensorDifference['before']>) => string,
): string {
  const texts = [before, after].flatMap(row => (row ? [textOf(row)] : []));
  return [...new Set(texts)].join(' → ');
}

function notFiniteCounts({ distance }: TensorDifference): string {
  if (!distance) return '';
  const { before, after } = distance.notFinite;
  return before + after === 0 ? '' : `${formatCount(before)} → ${formatCount(after)}`;
}
