import type { HandoffQuestion } from '../../protocol/handoff';
import { askedSizes, sizeOption } from '../../protocol/model';
import type { GrowthRequest, TrainingRequest } from '../../protocol/runFolder';

/** An argument as POSIX shells, PowerShell and cmd take it where it is plain, else in quotes. */
export function shellArgument(text: string, platform: NodeJS.Platform): string {
  if (/^[\w@%+=:,./\\-]+$/.test(text) && !(platform !== 'win32' && text.includes('\\')))
    return text;
  return platform === 'win32'
    ? `"${text.replaceAll('"', '""')}"`
    : `'${text.replaceAll("'", `'\\''`)}'`;
}

type Options = readonly (readonly [string, string | number | boolean | undefined])[];

/** The `ligo` command that makes the same growth as a request. */
export function growCommandLine(
  request: GrowthRequest,
  platform: NodeJS.Platform = process.platform,
): string {
  const { checkpoint, target, method, data, steps } = request;
  const options: Options = [
    ...askedSizes.map(size => [sizeOption(size), target[size]] as const),
    ['method', method],
    ...dataOptions(request),
    ['steps', data && steps],
    ['learning-rate', request.learningRate],
    ['accumulate', request.accumulate],
    ['recompute', request.recompute],
    ['share-ffn', request.shareFfn],
    ...formatOptions(request),
    ...placeOptions(request),
  ];
  return commandOf('grow', checkpoint, options, platform);
}

/** The `ligo` command that makes the same training as a request. */
export function trainCommandLine(
  request: TrainingRequest,
  platform: NodeJS.Platform = process.platform,
): string {
  const options: Options = [
    ...dataOptions(request),
    ['steps', request.steps],
    ['learning-rate', request.learningRate],
    ['schedule', request.schedule],
    ['warmup', request.warmup],
    ['weight-decay', request.weightDecay],
    ['evaluate-every', request.evaluateEvery === 0 ? undefined : request.evaluateEvery],
    ['accumulate', request.accumulate],
    ['recompute', request.recompute],
    ['token-drop', request.tokenDrop],
    ['layer-drop', request.layerDrop],
    ['sub-network-steps', request.subNetworkSteps],
    ['sub-network-layers', request.subNetworkLayers],
    ['from-scratch', request.fromScratch],
    ...formatOptions(request),
    ...placeOptions(request),
  ];
  return commandOf('train', request.checkpoint, options, platform);
}

/** The `ligo` command that writes the same project for PyTorch. */
export function handoffCommandLine(
  question: HandoffQuestion,
  platform: NodeJS.Platform = process.platform,
): string {
  const { checkpoint, to, data, machines, slurm, out } = question;
  const options: Options = [
    ['to', to],
    ...dataOptions({ data }),
    ['line-separator', data.separator],
    ['steps', question.steps],
    ['learning-rate', question.learningRate],
    ['schedule', question.schedule],
    ['gpus', machines.gpus],
    ['nodes', machines.nodes],
    ['gpu-memory', `${machines.gpuBytes / 1e9}GB`],
    ['partition', slurm.partition],
    ['time', slurm.time],
    ['account', slurm.account],
    ['out', out],
  ];
  return commandOf('handoff', checkpoint, options, platform);
}

const dataOptions = ({ data }: Pick<GrowthRequest, 'data'>): Options => [
  ['data', data?.path],
  ['batch', data?.batchSize],
  ['sequence-length', data?.sequenceLength],
];

const formatOptions = ({ gguf }: Pick<GrowthRequest, 'gguf'>): Options => [
  ['format', gguf && 'gguf'],
  ['outtype', gguf],
];

/** What is random, what computes, and where the result goes. */
const placeOptions = (
  request: Pick<GrowthRequest, 'precision' | 'seed' | 'engine' | 'threads' | 'out'>,
): Options => [
  ['precision', request.precision],
  ['seed', request.seed],
  ['engine', request.engine],
  ['threads', request.threads],
  ['out', request.out],
];

function commandOf(
  command: string,
  checkpoint: string,
  options: Options,
  platform: NodeJS.Platform,
): string {
  const words = options.flatMap(([name, value]) =>
    value === undefined || value === false
      ? []
      : value === true
        ? [`--${name}`]
        : [`--${name}`, shellArgument(String(value), platform)],
  );
  return ['ligo', command, shellArgument(checkpoint, platform), ...words].join(' ');
}
