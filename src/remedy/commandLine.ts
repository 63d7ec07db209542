import { enumerated } from './enumerated';
import type { Cut, Option, Setting, Words } from './remedy';

/** Options as the command line takes them. */
export const flags: Readonly<Record<Option, `--${string}`>> = {
  accumulate: '--accumulate',
  batch: '--batch',
  config: '--config',
  data: '--data',
  dropHead: '--drop-head',
  engine: '--engine',
  engineFolder: '--engine-folder',
  evalBatches: '--eval-batches',
  evalData: '--eval-data',
  evaluateEvery: '--evaluate-every',
  ffn: '--ffn',
  heads: '--heads',
  hidden: '--hidden',
  jobMemory: '--mem',
  jobTime: '--time',
  kvHeads: '--kv-heads',
  layerDrop: '--layer-drop',
  layers: '--layers',
  learningRate: '--learning-rate',
  leaveOutBroken: '--leave-out-broken',
  lineSeparator: '--line-separator',
  method: '--method',
  methods: '--methods',
  optimizerState: '--optimizer-state',
  parallel: '--parallel',
  precision: '--precision',
  recompute: '--recompute',
  saveEvery: '--save-every',
  sequenceLength: '--sequence-length',
  shareFfn: '--share-ffn',
  smallBatch: '--small-batch',
  smallSteps: '--small-steps',
  steps: '--steps',
  subNetworkLayers: '--sub-network-layers',
  subNetworkSteps: '--sub-network-steps',
  tokenDrop: '--token-drop',
  trainingRate: '--learning-rate',
  warmup: '--warmup',
};

const given = ({ option, to }: Setting): string =>
  to === undefined ? flags[option] : `${flags[option]} ${to}`;

const named = (cut: Cut): string => flags[cut];

/** What to do in the words of the command line, and of files that a run writes. */
export const commandLine: Words = {
  set: ({ settings }) => `give ${enumerated(settings.map(given), 'and')}`,
  leaveOut: ({ option }) => `leave ${flags[option]} out`,
  by: ({ settings }) => ` (${settings.map(given).join(', ')})`,
  lower: ({ cuts }) => `lower ${enumerated(cuts.map(named), 'or')}`,
  other: ({ cut, than }) => `a ${than} ${flags[cut]}`,
  shorten: ({ to }) => `use sequences of at most ${to} tokens (${flags.sequenceLength} ${to})`,
  install: ({ engine }) => `run \`ligo doctor --install ${engine}\``,
  resume: ({ engine }) =>
    `run the same command with --resume${engine === undefined ? '' : ` and --engine ${engine}`}`,
  repeat: () => 'run the same command again',
  startAnew: () => 'start the run anew without --resume',
  compareAnew: () => 'compare anew with --overwrite',
  chooseOutput: () => 'pass --overwrite to replace it, or choose another output folder',
  chooseFile: () => 'pass --overwrite to replace it, or choose another file',
  attendJob: () =>
    'follow it with `ligo job <out> --wait`, or cancel it with `ligo job <out> --cancel`',
};
