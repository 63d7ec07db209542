import type { Command } from 'commander';
import { UsageError } from '../../errors';
import {
  conversionFormats,
  type ConversionReceipt,
  type GgufType,
} from '../../protocol/conversion';
import { openByteProgress } from '../byteProgress';
import { formatBytes, formatCount } from '../format';
import { printLine, type Host } from '../host';
import { quietContext } from '../job';
import {
  addOption,
  addOuttypeOption,
  addOutOptions,
  addOutputOptions,
  ggufOf,
  outOf,
  takes,
  type FormatOptions,
  type OutOptions,
  type OutputOptions,
} from '../options';

type ConvertOptions = OutputOptions & OutOptions & FormatOptions;

/** `ligo convert`: another format, the same weights. */
export function addConvertCommand(program: Command, host: Host): void {
  const command = program
    .command('convert <checkpoint>')
    .description('write a checkpoint of any format that is read as safetensors, or as GGUF');
  const formats = conversionFormats.join(' or ');
  addOption(command, '--format <name>', formats, takes.word(conversionFormats), 'safetensors');
  addOuttypeOption(command);
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
function outtypeOf(options: ConvertOptions): GgufType | undefined {
  if (options.format === 'gguf' && options.maxShardSize !== undefined) {
    throw new UsageError(
      '--max-shard-size divides safetensors, but a GGUF file is written whole.',
      'Leave --max-shard-size out; llama-gguf-split of llama.cpp divides such files.',
    );
  }
  return ggufOf(options);
}

function describe({ out, files, tensors, bytes, leftOut }: ConversionReceipt): string {
  const shown = files.length > 3 ? `${files.length} files` : files.join(', ');
  const lines = [
    `Wrote ${out}: ${formatCount(tensors)} tensors, ${formatBytes(bytes)}, in ${shown}.`,
    ...leftOut.map(({ name, reason }) => `Not written: ${name} (${reason}).`),
  ];
  return lines.join('\n');
}
