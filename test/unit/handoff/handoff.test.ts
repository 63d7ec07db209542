import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { example, fixture } from '../../support/fixtures';
import { cli } from '../cli/support';
import { copyOf, temporaryFolder } from '../run/support';

const gpt2 = example('gpt2-kjv');
const text = ['--data', example('kjv.txt')];
const small = ['--batch', '2', '--sequence-length', '16', '--eval-batches', '2'];
const cut = [...text, ...small];
const how = ['--steps', '20', '--rate', '0.002'];

interface Settings {
  readonly model: {
    path: string;
    class: string;
    loss?: number;
    loss_from?: string;
    optimizer: unknown;
  };
  readonly data: Record<string, unknown> & { files: { name: string; train_bytes: number }[] };
  readonly training: Record<string, unknown>;
}

/** Hands a checkpoint over; gives the folder and what it says. */
async function handOff(
  ...args: string[]
): Promise<{ out: string; settings: Settings; told: string }> {
  const out = join(temporaryFolder(), 'project');
  const { code, stdout, stderr } = await cli('handoff', ...args, '--out', out);
  assert.equal(code, 0, stderr);
  const settings = JSON.parse(readFileSync(join(out, 'handoff.json'), 'utf8')) as Settings;
  return { out, settings, told: stdout + stderr };
}

/** Lines of JSON of a file. */
const lines = (path: string): unknown[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as unknown);

describe('ligo handoff', () => {
  it('takes data, cut, seed and loss from the receipt of a growth', async () => {
    const grown = join(temporaryFolder(), 'grown');
    const { code, stderr } = await cli(
      ...['grow', gpt2, '--layers', '4', ...cut, '--steps', '1', '--seed', '7', '--out', grown],
    );
    assert.equal(code, 0, stderr);
    const receipt = JSON.parse(readFileSync(join(grown, 'growth.json'), 'utf8')) as {
      losses: { after: { loss: number } };
      data: { batches: object };
    };
    assert.deepEqual(receipt.data.batches, {
      size: 2,
      sequenceLength: 16,
      heldOut: 2,
      lineSeparator: [0],
    });
    const { out, settings } = await handOff(grown, ...how);
    assert.equal(settings.model.loss, receipt.losses.after.loss);
    assert.equal(settings.model.loss_from, 'growth.json');
    assert.deepEqual(settings.data['separator'], [0]);
    assert.equal(settings.training['seed'], 7);
    assert.equal(settings.training['warmup'], 2);
    assert.equal(lines(join(out, 'held-out.jsonl')).length, 4);
  });

  it('takes rate, steps and schedule from the receipt of a training, and says what does not carry over', async () => {
    const trained = join(temporaryFolder(), 'trained');
    const { code, stderr } = await cli(
      ...['train', gpt2, ...cut, '--steps', '3', '--learning-rate', '0.004', '--accumulate', '2'],
      ...['--schedule', 'linear', '--layer-drop', '0.5', '--out', trained],
    );
    assert.equal(code, 0, stderr);
    const { settings, told } = await handOff(trained);
    assert.equal(settings.training['rate'], 0.004);
    assert.equal(settings.training['steps'], 3);
    assert.equal(settings.training['schedule'], 'linear');
    assert.deepEqual([settings.training['batch'], settings.training['accumulate']], [4, 2]);
    assert.equal(settings.model.loss_from, 'training.json');
    assert.match(told, /left out layers; in PyTorch the whole network trains/);
    const other = await handOff(trained, ...['--batch', '4']);
    assert.equal(other.settings.model.loss, undefined);
    assert.match(
      other.told,
      /no loss of the same held-out batches: data was cut into other batches/,
    );
  });

  it('goes on with the optimizer’s state of a training, unless that is left behind or other weights’', async () => {
    const trained = join(temporaryFolder(), 'trained');
    const { code, stderr } = await cli(
      ...['train', gpt2, ...cut, '--steps', '2', '--keep-optimizer', '--out', trained],
    );
    assert.equal(code, 0, stderr);
    const { settings, told, out } = await handOff(trained);
    assert.deepEqual(settings.model.optimizer, { updates: 2, files: ['optimizer.safetensors'] });
    assert.match(told, /goes on with what it knew after 2 updates/);
    assert.match(readFileSync(join(out, 'README.md'), 'utf8'), /after 2 updates/);
    const reset = await handOff(trained, '--optimizer-state', 'reset');
    assert.equal(reset.settings.model.optimizer, null);
    const sharded = await handOff(trained, '--gpus', '2', '--gpu-memory', '1MB');
    assert.equal(sharded.settings.model.optimizer, null);
    assert.match(sharded.told, /not read into shards/);
    renameSync(join(trained, 'optimizer.safetensors'), join(out, 'optimizer.safetensors'));
    const without = await cli(
      ...['handoff', trained, '--optimizer-state', 'continue', '--out', join(out, 'x')],
    );
    assert.equal(without.code, 1);
    assert.match(without.stderr, /has no optimizer.safetensors/);
  });

  it('hands masked sequences over as they are scored', async () => {
    const { out, settings } = await handOff(example('bert-kjv'), ...cut, ...how);
    assert.equal(settings.model.class, 'BertForMaskedLM');
    const sequences = lines(join(out, 'held-out.jsonl')) as Record<string, number[]>[];
    const asked = sequences.flatMap(({ labels }) => labels!.filter(label => label !== -100));
    // 15 % of 14 tokens of two sequences, in two batches.
    assert.equal(asked.length, 2 * Math.round(0.15 * 28));
    for (const { input_ids: ids } of sequences) {
      assert.deepEqual([ids!.length, ids![0], ids!.at(-1)], [16, 2, 3]);
    }
  });

  it('hands over which images are trained on and which are scored, and how they are prepared', async () => {
    const data = ['--data', example('fashion-mnist'), '--batch', '8'];
    const { out, settings } = await handOff(example('vit-fmnist'), ...data, ...how);
    assert.deepEqual(settings.data['scored'], {
      list: 'held-out.jsonl',
      idx: 't10k-images-idx3-ubyte.gz',
    });
    assert.deepEqual(settings.data['size'], [28, 28]);
    assert.deepEqual(settings.data['mean'], [0.286]);
    assert.equal(lines(join(out, 'held-out.jsonl')).length, 128);
    assert.deepEqual(readdirSync(out).sort(), [
      ...['README.md', 'data.py', 'handoff.json', 'held-out.jsonl', 'requirements.txt'],
      ...['torchrun.sh', 'train.jsonl', 'train.py'],
    ]);
  });

  it('leaves the end of the last files out of what is trained on', async () => {
    const folder = temporaryFolder();
    const line = 'In the beginning God created the heaven and the earth.\n';
    writeFileSync(join(folder, 'a.txt'), line.repeat(50));
    writeFileSync(join(folder, 'b.txt'), line.repeat(50));
    const { settings } = await handOff(
      ...[gpt2, '--data', folder, ...small, ...how, '--line-separator', 'newline'],
    );
    assert.deepEqual(
      settings.data.files.map(({ name, train_bytes: bytes }) => [name, bytes / line.length]),
      [
        ['a.txt', 50],
        ['b.txt', 45],
      ],
    );
  });
});

describe('ligo handoff refuses', () => {
  const asked = [...cut, ...how, '--line-separator', 'eos'];
  /** A copy of the GPT-2 example whose weights are called otherwise. */
  function renamed(): string {
    const folder = copyOf(gpt2);
    renameSync(join(folder, 'model.safetensors'), join(folder, 'weights.safetensors'));
    return join(folder, 'weights.safetensors');
  }
  function damaged(): string {
    const folder = copyOf(gpt2);
    writeFileSync(join(folder, 'growth.json'), '{"seed": "x"}');
    return folder;
  }

  const cases: readonly (readonly [string, () => string[], RegExp])[] = [
    [
      'what neither options nor a receipt say, all of it at once',
      () => [gpt2],
      /no receipt beside the checkpoint[^]*--data, --steps, --learning-rate, --batch, --sequence-length and --line-separator/,
    ],
    [
      'a receipt that is none',
      () => [damaged(), ...asked],
      /growth\.json is not a receipt[^]*Remove the file/,
    ],
    [
      'models of labelled text',
      () => [fixture('labels/bert-classes'), ...cut, ...how],
      /learns from labels/,
    ],
    ['models of timm', () => [fixture('hf/timm-vit'), ...cut, ...how], /model of timm/],
    ['weights by other names', () => [renamed(), ...asked], /would not load weights\.safetensors/],
    [
      'a batch that GPUs cannot share',
      () => [gpt2, ...asked, '--gpus', '3'],
      /An update of 2 cannot be divided evenly among 3 GPUs[^]*--batch 3/,
    ],
    [
      'what would break out of a line of Slurm',
      () => [gpt2, ...asked, '--to', 'slurm', '--partition', 'gpu\n#SBATCH --wrap=x'],
      /The partition of a job is "gpu\\n#SBATCH --wrap=x", which Slurm does not take/,
    ],
    [
      'a time that is none',
      () => [gpt2, ...asked, '--to', 'slurm', '--time', 'tomorrow'],
      /The time of a job is "tomorrow"/,
    ],
    [
      "Slurm's options elsewhere",
      () => [gpt2, ...asked, '--account', 'lab'],
      /The account of a job is of Slurm alone/,
    ],
    ['an unknown launcher', () => [gpt2, ...asked, '--to', 'pbs'], /--to is "pbs"/],
  ];
  for (const [name, args, says] of cases) {
    it(name, async () => {
      const out = join(temporaryFolder(), 'project');
      const { code, stderr } = await cli('handoff', ...args(), '--out', out);
      assert.notEqual(code, 0);
      assert.match(stderr, says);
      assert.ok(!existsSync(out));
    });
  }

  it('images to score of another folder, where machines get a copy of the data alone', async () => {
    const data = ['--data', example('fashion-mnist'), '--eval-data', example('fashion-mnist')];
    const out = join(temporaryFolder(), 'project');
    const { stderr } = await cli(
      ...['handoff', example('vit-fmnist'), ...data, '--batch', '8', ...how],
      ...['--to', 'skypilot', '--out', out],
    );
    assert.match(stderr, /do not get to the machines/);
    assert.ok(!existsSync(out));
  });
});
