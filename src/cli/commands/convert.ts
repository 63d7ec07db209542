import type { Command } from 'commander';
import { UsageError } from '../../errors';
import {
  conversionFormats,
  ggufTypes,
  type ConversionFormat,
  type ConversionReceipt,
  type GgufType,
} from '../../protocol/conversion';
import { openByteProgress } from '../byteProgress';
import { formatBytes, formatCount } from '../format';
import { printLine, type Host } from '../host';
import { quietContext } from '../job';
import {
  addOption,
  addOutOptions,
  addOutputOptions,
  outOf,
  takes,
  type OutOptions,
  type OutputOptions,
} from '../options';

type ConvertOptions = OutputOptions &
  OutOptions & { readonly format: ConversionFormat; readonly outtype?: GgufType };

/** `ligo convert`: another format, the same weights. */
export function addConvertCommand(program: Command, host: Host): void {
  const command = program
    .command('convert <checkpoint>')
    .description('write a checkpoint of any format that is read as safetensors, or as GGUF');
  const formats = conversionFormats.join(' or ');
  addOption(command, '--format <name>', formats, takes.word(conversionFormats), 'safetensors');
  addOption(
    command,
    '--outtype <type>',
    `how a GGUF file stores matrices: ${ggufTypes.join(', ')}; f16 by default`,
    takes.word(ggufTypes),
  );
  addOutputOptions(addOutOptions(command)).action(
    async (checkpoint: string, options: ConvertOptions) => {
      const { format } = options;
      const outtype = outtypeOf(options);
      const { convert } = await import('../../run/convert/convert');
      const progress = openByteProgress(host, options);
      try {
        const receipt = await convert(
          { ...quietContext(host, { engine: 'auto' }), progress: progress.update },
          { checkpoint, format, ...(outtype && { outtype }), ...outOf(options) },
        );
        progress.close();
        printLine(host, options.json ? JSON.stringify(receipt) : describe(receipt));
      } finally {
        progress.close();
      }
    },
  );
}

/** @throws UsageError for options of the other format */
function outtypeOf({ format, outtype, maxShardSize }: ConvertOptions): GgufType | undefined {
  if (format === 'gguf') {
    if (maxShardSize === undefined) return outtype ?? 'f16';
    throw new UsageError(
      '--max-shard-size divides safetensors, but a GGUF file is written whole.',
      'Leave --max-shard-size out; llama-gguf-split of llama.cpp divides such files.',
    );
  }
  if (outtype === undefined) return undefined;
  throw new UsageError(
    '--outtype is for GGUF files: in safetensors every tensor keeps its type.',
    'Leave --outtype out, or give --format gguf.',
  );
}

function describe({ out, files, tensors, bytes, leftOut }: ConversionReceipt): string {
  const shown = files.length > 3 ? `${files.length} files` : files.join(', ');
  const lines = [
    `Wrote ${out}: ${formatCount(tensors)} tensors, ${formatBytes(bytes)}, in ${shown}.`,
    ...leftOut.map(({ name, reason }) => `Not written: ${name} (${reason}).`),
  ];
  return lines.join('\n');
}
