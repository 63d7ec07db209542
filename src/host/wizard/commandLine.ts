import { askedSizes, sizeOption } from '../../protocol/model';
import type { GrowthRequest } from '../../protocol/runFolder';

/** An argument as POSIX shells, PowerShell and cmd take it where it is plain, else in quotes. */
export function shellArgument(text: string, platform: NodeJS.Platform): string {
  if (/^[\w@%+=:,./\\-]+$/.test(text) && !(platform !== 'win32' && text.includes('\\')))
    return text;
  return platform === 'win32'
    ? `"${text.replaceAll('"', '""')}"`
    : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The `ligo` command that makes the same growth as a request. */
export function growCommandLine(
  request: GrowthRequest,
  platform: NodeJS.Platform = process.platform,
): string {
  const { checkpoint, target, method, data, out, steps, seed, engine, threads } = request;
  const options: readonly (readonly [string, string | number | boolean | undefined])[] = [
    ...askedSizes.map(size => [sizeOption(size), target[size]] as const),
    ['method', method],
    ['data', data?.path],
    ['batch', data?.batchSize],
    ['sequence-length', data?.sequenceLength],
    ['steps', data && steps],
    ['learning-rate', request.learningRate],
    ['accumulate', request.accumulate],
    ['recompute', request.recompute],
    ['share-ffn', request.shareFfn],
    ['precision', request.precision],
    ['seed', seed],
    ['engine', engine],
    ['threads', threads],
    ['out', out],
  ];
  const words = options.flatMap(([name, value]) =>
    value === undefined || value === false
      ? []
      : value === true
        ? [`--${name}`]
        : [`--${name}`, shellArgument(String(value), platform)],
  );
  return ['ligo', 'grow', shellArgument(checkpoint, platform), ...words].join(' ');
}
