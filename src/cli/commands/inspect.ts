import type { Command } from 'commander';
import type { Inspection } from '../../inspect/inspect';
import { unitsPerHead } from '../../protocol/model';
import { formatBytes, formatCount } from '../format';
import { printLine, type Host } from '../host';
import { addOutputOptions, type OutputOptions } from '../options';
import { formatFields, formatTable } from '../table';
import { commandLine } from '../../remedy/commandLine';
import { worded } from '../../remedy/worded';
import { UsageError } from '../../errors';

/** Options of `ligo inspect`. */
interface InspectOptions extends OutputOptions {
  readonly tensors?: boolean;
  readonly export?: string;
  readonly to?: string;
  readonly overwrite?: boolean;
}

/** `ligo inspect`: tells what a checkpoint is, from its headers alone, or writes one of its tensors to a file. */
export function addInspectCommand(program: Command, host: Host): void {
  const command = program
    .command('inspect <checkpoint>')
    .description('say what a checkpoint is, from its headers')
    .option('--tensors', 'list every tensor')
    .option('--export <tensor>', 'write the values of one tensor to a file, instead')
    .option('--to <file>', 'with --export: a file that ends in .npy (NumPy) or .csv')
    .option('--overwrite', 'with --export: replace the file if it exists');
  addOutputOptions(command).action(async (checkpoint: string, options: InspectOptions) => {
    if (isExport(options)) {
      await exportToFile(host, checkpoint, options);
      return;
    }
    const { inspect } = await import('../../inspect/inspect');
    const inspection = worded<Inspection>(await inspect(checkpoint), commandLine);
    const text = options.json
      ? JSON.stringify(inspection)
      : describeInspection(inspection, options.tensors ?? false);
    printLine(host, text);
  });
}

type ExportOptions = InspectOptions & { readonly export: string; readonly to: string };

/** @throws UsageError when options of an export are given and make none */
function isExport(options: InspectOptions): options is ExportOptions {
  const { export: tensor, to, overwrite, tensors } = options;
  if (tensor === undefined && to === undefined && !overwrite) return false;
  if (tensor === undefined || to === undefined) {
    throw new UsageError(
      '--export, --to and --overwrite belong together: one without the others writes nothing.',
      'Give the name of a tensor as --export and a file that ends in .npy or .csv as --to.',
    );
  }
  if (tensors) {
    throw new UsageError(
      '--tensors lists tensors, and --export writes one of them.',
      'Give one of the two.',
    );
  }
  return true;
}

async function exportToFile(host: Host, path: string, options: ExportOptions): Promise<void> {
  const { exportTensor } = await import('../../inspect/exportTensor');
  const { export: tensor, to, overwrite = false } = options;
  const written = await exportTensor({ path, tensor, to, overwrite }, host.signal);
  if (options.json) {
    printLine(host, JSON.stringify(written));
    return;
  }
  const { file, type, shape, notes } = written;
  printLine(host, [`Wrote ${file}: ${type} [${shape.join(', ')}].`, ...notes].join('\n'));
}

/** An inspection as people read it. */
function describeInspection(inspection: Inspection, withTensors: boolean): string {
  const { model, tensors, files, metadata } = inspection;
  const fields = formatFields([
    ['family', model?.family ?? 'not recognised'],
    ['class', model?.modelClass],
    ['objective', model?.objective.replaceAll('-', ' ')],
    ['layers', model && formatCount(model.layers)],
    ['hidden units', model && formatCount(model.hidden)],
    ['heads', model && `${model.heads} (of ${model.headSize ?? unitsPerHead(model)} units)`],
    ['key-value heads', model?.kvHeads === undefined ? undefined : formatCount(model.kvHeads)],
    ['feed-forward', model && formatCount(model.ffn)],
    ['parameters', model && formatCount(model.parameters)],
    ['head', model && headNames[model.head]],
    ['tensors', `${formatCount(tensors.length)} (${elementTypes(inspection)})`],
    ['size', formatBytes(inspection.bytes)],
    ['folder', inspection.directory],
    ['files', files.length > 8 ? `${files.slice(0, 8).join(', ')}, …` : files.join(', ')],
    ['metadata', metadataText(metadata)],
  ]);
  const sections = [
    fields,
    list(
      'Problems',
      inspection.problems.map(({ message, remedy }) => `${message} ${remedy}`),
    ),
    list(
      'Notes',
      inspection.notes.map(({ message, remedy }) => `${message} ${remedy}`),
    ),
    list(
      'Not used',
      inspection.ignored.map(({ name, reason }) => `${name}: ${reason}`),
    ),
    withTensors ? tensorTable(tensors) : '',
  ];
  return sections.filter(section => section !== '').join('\n\n');
}

const headNames: Readonly<Record<string, string>> = {
  tied: 'tied to the embeddings',
  untied: 'a matrix of its own (not tied)',
  none: 'none',
};

const elementTypes = ({ elementTypes: types }: Inspection): string =>
  Object.entries(types)
    .map(([type, count]) => `${formatCount(count)} ${type}`)
    .join(', ');

function metadataText(metadata: Inspection['metadata']): string | undefined {
  const entries = Object.entries(metadata).map(([key, value]) => `${key}=${value}`);
  if (entries.length === 0) return undefined;
  // It comes out of a file, so nothing in it may steer the terminal.
  const text = JSON.stringify(entries.join(', ')).slice(1, -1);
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}

const list = (title: string, items: readonly string[]): string =>
  items.length === 0 ? '' : [`${title}:`, ...items.map(item => `  ${item}`)].join('\n');

const tensorTable = (tensors: Inspection['tensors']): string =>
  formatTable(
    [
      ['tensor', 'type', 'shape', 'size'],
      ...tensors.map(({ name, type, shape, bytes }) => [
        name,
        type,
        `[${shape.join(', ')}]`,
        formatBytes(bytes),
      ]),
    ],
    2,
  );
