import { formatCount } from '../format';
import { harmless } from '../harmless';
import type { Launcher } from '../protocol/handoff';
import type { HandoffFacts } from './facts';
import { jobName } from './quote';
import { sharding } from './sharding';

/** The file that starts the training, what it is, and the command for it. */
const starts: Readonly<Record<Launcher, (facts: HandoffFacts) => readonly [string, string]>> = {
  accelerate: ({ machines }) => [
    'accelerate.yaml',
    machines.nodes === 1
      ? 'accelerate launch --config_file accelerate.yaml train.py'
      : 'accelerate launch --config_file accelerate.yaml --machine_rank 0 --main_process_ip FIRST_MACHINE train.py',
  ],
  torchrun: ({ machines }) => [
    'torchrun.sh',
    machines.nodes === 1 ? 'bash torchrun.sh' : 'HEAD=FIRST_MACHINE:29500 bash torchrun.sh',
  ],
  slurm: () => ['train.sbatch', 'sbatch train.sbatch'],
  skypilot: () => ['skypilot.yaml', 'sky launch skypilot.yaml'],
  kubernetes: () => ['trainjob.yaml', 'kubectl create -f trainjob.yaml'],
};

/** What has to be known before the command of a launcher. */
const before: Readonly<Partial<Record<Launcher, string>>> = {
  slurm:
    'Call `sbatch` in this folder, which all nodes must see, as they must see checkpoint and data. The job saves and is queued again when its time is nearly over.',
  skypilot:
    'SkyPilot copies checkpoint and data to the machines; the requirements are installed there. The result lies in `~/output` of the first machine.',
  kubernetes:
    'Put this folder, the checkpoint and the data on a volume that all nodes can write to, as `project`, `model` and `data`, and name its claim in `trainjob.yaml`.',
};

/** What becomes of AdamW's moments. */
function optimizerLine({ model: { optimizer } }: HandoffFacts): string {
  if (!optimizer) return "- The optimizer begins anew: AdamW's moments do not carry over.";
  return `- The optimizer goes on with what it knew after ${optimizer.updates} updates (${optimizer.files.join(', ')} beside the checkpoint); rate and warm-up are those of the new training.`;
}

/** Words of a cell of a table: names of files are somebody else's. */
const inTable = (text: string): string => harmless(text).replaceAll(/[\s|`<>[\]*_\\]+/g, ' ');

/** `README.md` of the project. */
export function readmeText(facts: HandoffFacts): string {
  const { to, model, data, training, software, objective, notes } = facts;
  const [file, command] = starts[to](facts);
  const things = data.kind === 'text' ? 'sequences' : 'images';
  const { expected } = model;
  const lines = [
    `# ${jobName(model.name)}`,
    '',
    `Trains a ${model.modelClass} with ${formatCount(model.parameters)} parameters on in PyTorch: ${objective}, ${training.steps} steps of ${training.batch} ${things}. Written by ${software.name} ${software.version}.`,
    '',
    '```sh',
    'pip install -r requirements.txt # the versions that this was made for',
    `${command} # trains; called again it goes on from its last checkpoint`,
    'python train.py --help # steps, rate, batch, output and more',
    '```',
    '',
    ...(before[to] === undefined ? [] : [before[to], '']),
    expected
      ? `The first line to look for is \`step 0: held-out loss ${expected.loss.toFixed(4)}\`: what ${expected.from} has for the same batches. Another number means that weights, data or versions are others.`
      : 'The first line to look for is `step 0: held-out loss …`: `ligo evaluate` gives the same number for the same data and sizes of batches.',
    '',
    '| file | what it is |',
    '| --- | --- |',
    '| `train.py` | the training, on the Trainer of transformers |',
    `| \`data.py\` | how ${data.kind === 'text' ? 'text becomes sequences' : 'images are read and prepared'} |`,
    '| `handoff.json` | where checkpoint and data lie, sizes, rate, schedule, seed |',
    `| \`held-out.jsonl\` | what is scored: ${inTable(data.heldOut)} |`,
    ...(data.kind === 'images' ? ['| `train.jsonl` | the images to train on |'] : []),
    `| \`${file}\` | how it is started |`,
    '',
    '## Memory',
    '',
    sharding(facts).why,
    '',
    '## What is not the same',
    '',
    optimizerLine(facts),
    `- Which ${things} make a batch ${data.kind === 'text' && data.masked ? 'and which tokens are hidden ' : ''}is drawn by other random numbers, from the same data in the same way; what is held out is the same.`,
    '- Warm-up begins at a rate of 0, a step later than ligo.',
    ...notes.map(note => `- ${harmless(note)}`),
    '',
  ];
  return lines.join('\n');
}
