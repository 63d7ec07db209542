import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { example, fixture } from '../../support/fixtures';
import { copyOf, editConfig, entries, header, putNaN, temporaryFolder } from '../run/support';
import { safetensors } from '../checkpoint/files';
import { outcomeOf, start } from './process';
import { cli, jsonLines, type Outcome } from './support';

/** A wrong request: its arguments (without --out), what is said, with which exit code. */
interface Refusal {
  readonly name: string;
  readonly args: () => string[];
  readonly says: RegExp;
  readonly code?: number;
  /** Run in a process of its own too. */
  readonly spawned?: boolean;
}

const gpt2 = example('gpt2-kjv');
const bible = ['--data', example('kjv.txt'), '--batch', '2', '--sequence-length', '16'];
const quick = [...bible, '--eval-batches', '1', '--steps', '2', '--line-separator', 'newline'];
const larger = ['--layers', '4', '--hidden', '80'];

const file = (folder: string) => join(folder, 'model.safetensors');
/** A copy of the GPT-2 example whose weights are something else. */
function weights(content: Buffer | string): string {
  const folder = copyOf(gpt2);
  writeFileSync(file(folder), content);
  return folder;
}
function text(name: string, content: string | Buffer): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  return path;
}
const entry = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});
const grow = (checkpoint: string): string[] => ['grow', checkpoint, ...larger, ...quick];
const growOn = (data: string, ...more: string[]): string[] => [
  'grow',
  gpt2,
  ...larger,
  '--data',
  data,
  '--batch',
  '2',
  '--sequence-length',
  '16',
  ...more,
];

const checkpoints: readonly Refusal[] = [
  {
    name: 'a path where nothing is',
    args: () => grow(join(temporaryFolder(), 'missing')),
    says: /missing does not exist/,
    spawned: true,
  },
  {
    name: 'a text file',
    args: () => grow(text('notes.txt', 'In the beginning\n')),
    says: /notes\.txt/,
  },
  {
    name: 'a file that was cut off',
    args: () => {
      const folder = copyOf(gpt2);
      truncateSync(file(folder), 500_000);
      return grow(folder);
    },
    says: /model\.safetensors/,
    spawned: true,
  },
  {
    name: 'a header that is longer than the file',
    args: () => {
      const bytes = safetensors({ a: entry(0, 8) }, 8);
      bytes.writeBigUInt64LE(1_000_000n);
      return grow(weights(bytes));
    },
    says: /header/,
  },
  {
    name: 'tensors that overlap',
    args: () => grow(weights(safetensors({ a: entry(0, 8), b: entry(4, 12) }, 12))),
    says: /overlap/,
  },
  {
    name: 'a tensor beyond the end of the file',
    args: () => grow(weights(safetensors({ a: entry(0, 80) }, 8))),
    says: /model\.safetensors/,
  },
  {
    name: 'two tensors of one name',
    args: () => {
      const one = JSON.stringify(entry(0, 8));
      const two = JSON.stringify(entry(8, 16));
      return grow(weights(safetensors(`{"a":${one},"a":${two}}`, 16)));
    },
    says: /"a"/,
  },
  {
    name: 'a tensor named like a path',
    args: () => grow(weights(safetensors({ '../x': entry(0, 8) }, 8))),
    says: /"\.\.\/x".* looks like a path/,
  },
  {
    name: 'a shape that no memory holds',
    args: () => grow(weights(safetensors({ a: entry(0, 8, [2 ** 40, 2 ** 40]) }, 8))),
    says: /model\.safetensors/,
  },
  {
    name: 'a missing shard',
    args: () => {
      const folder = copyOf(fixture('hf/bert-sharded'));
      rmSync(join(folder, 'model-00003-of-00006.safetensors'));
      return ['grow', folder, ...larger, '--method', 'stack'];
    },
    says: /model-00003-of-00006\.safetensors/,
  },
  {
    name: 'weights of other sizes than config.json says',
    args: () => grow(editConfig(copyOf(gpt2), { n_embd: 80, n_head: 5 })),
    says: /\[.*64.*\]|64/,
  },
  {
    name: 'a family that is not known',
    args: () => grow(editConfig(copyOf(gpt2), { model_type: 'mamba' })),
    says: /mamba/,
    spawned: true,
  },
  {
    name: 'weights that are no numbers',
    args: () => grow(putNaN(copyOf(gpt2), 'transformer.h.1.mlp.c_fc.weight')),
    says: /tensor transformer\.h\.1\.mlp\.c_fc\.weight holds NaN at element 2/,
  },
  {
    name: 'a missing tokenizer',
    args: () => {
      const folder = copyOf(gpt2);
      rmSync(join(folder, 'tokenizer.json'));
      rmSync(join(folder, 'tokenizer_config.json'));
      return grow(folder);
    },
    says: /tokenizer/,
  },
  {
    name: 'a model without its head',
    args: () => {
      const folder = copyOf(fixture('hf/bert'));
      const bytes = readFileSync(file(folder));
      const { tensors, dataStart } = header(file(folder));
      const kept = [...tensors].filter(([name]) => !name.startsWith('cls.'));
      let at = 0;
      const parts: Buffer[] = [];
      const entries = kept.map(
        ([
          name,
          {
            dtype,
            shape,
            offsets: [begin, end],
          },
        ]) => {
          parts.push(bytes.subarray(dataStart + begin, dataStart + end));
          const offsets = [at, (at += end - begin)];
          return [name, { dtype, shape, data_offsets: offsets }] as const;
        },
      );
      const head = safetensors(Object.fromEntries(entries));
      writeFileSync(file(folder), Buffer.concat([head, ...parts]));
      editConfig(folder, { architectures: ['BertModel'] });
      return grow(folder);
    },
    says: /has no head/,
  },
];

const requests: readonly Refusal[] = [
  { name: 'empty data', args: () => growOn(text('empty.txt', '')), says: /empty\.txt/ },
  { name: 'tiny data', args: () => growOn(text('tiny.txt', 'a\nb\n')), says: /tiny\.txt/ },
  {
    name: 'a binary file as text',
    args: () => growOn(text('photo.txt', Buffer.from([0, 1, 2, 255, 254, 0, 10, 0, 7]))),
    says: /photo\.txt/,
  },
  {
    name: 'a target with fewer layers',
    args: () => ['grow', gpt2, '--layers', '2', ...quick],
    says: /2 layers, fewer than the source's 3/,
    spawned: true,
  },
  {
    name: 'heads that do not divide',
    args: () => ['grow', gpt2, '--hidden', '96', '--heads', '7', ...quick],
    says: /96 hidden units do not divide into 7 heads/,
  },
  {
    name: 'another head size',
    args: () => ['grow', gpt2, '--hidden', '96', '--heads', '3', ...quick],
    says: /head size would change from 16 to 32/,
  },
  {
    name: 'another vocabulary',
    args: () => {
      const config = JSON.parse(readFileSync(join(gpt2, 'config.json'), 'utf8')) as object;
      const changed = { ...config, n_embd: 96, n_head: 6, vocab_size: 2000 };
      return ['grow', gpt2, '--config', text('config.json', JSON.stringify(changed)), ...quick];
    },
    says: /vocabulary \(vocab_size\) from 1024 to 2000/,
  },
  {
    name: 'the sizes that are there already',
    args: () => ['grow', gpt2, '--layers', '3', ...quick],
    says: /nothing would grow/,
  },
  {
    name: '--resume with nothing to resume',
    args: () => [...grow(gpt2), '--resume'],
    says: /no stopped run to resume/,
  },
  {
    name: '--resume of a method that takes no steps',
    args: () => [...grow(gpt2), '--resume', '--method', 'stack'],
    says: /takes no steps, so there is nothing to resume/,
    code: 2,
  },
  {
    name: 'learning without data',
    args: () => ['grow', gpt2, ...larger],
    says: /needs data/,
    code: 2,
  },
  {
    name: 'training without data',
    args: () => ['train', gpt2],
    says: /No data is named/,
    code: 2,
  },
  {
    name: 'sequences that are longer than the model’s',
    args: () => growOn(example('kjv.txt'), '--sequence-length', '4096'),
    says: /4096 tokens is longer than the model's 128 positions/,
    code: 2,
  },
  {
    name: 'an engine that is not installed',
    args: () => [...grow(gpt2), '--engine', 'tfjs', '--engine-folder', temporaryFolder()],
    says: /TensorFlow\.js is not installed/,
    spawned: true,
  },
  {
    name: 'an engine that nobody knows',
    args: () => [...grow(gpt2), '--engine', 'abacus'],
    says: /--engine is "abacus"/,
    code: 2,
  },
  {
    name: 'a number that is none',
    args: () => [...grow(gpt2), '--steps', 'many'],
    says: /--steps is "many"/,
    code: 2,
    spawned: true,
  },
  {
    name: 'an option that is none',
    args: () => [...grow(gpt2), '--fast'],
    says: /nknown option '--fast'/,
    code: 2,
  },
  {
    name: 'no target',
    args: () => ['grow', gpt2, ...quick],
    says: /target is not named/,
    code: 2,
  },
  {
    name: 'two targets',
    args: () => [...grow(gpt2), '--config', join(gpt2, 'config.json')],
    says: /both name the target/,
    code: 2,
  },
];

function assertRefused({ code, stdout, stderr }: Outcome, refusal: Refusal): void {
  assert.match(stderr, refusal.says);
  assert.match(stderr, /^Error: .+\n[A-Z].*\.\n$/, 'one message, one remedy, no stack');
  assert.equal(code, refusal.code ?? 1);
  const failed = jsonLines(stdout).at(-1)!;
  assert.ok(failed.type === 'failed');
  assert.equal(stderr, `Error: ${failed.message}\n${failed.remedy}\n`);
  assert.match(failed.message, refusal.says);
}

describe('the command line refuses', () => {
  for (const refusal of [...checkpoints, ...requests]) {
    it(`${refusal.name}, and writes nothing`, async () => {
      const folder = temporaryFolder();
      const args = [...refusal.args(), '--out', join(folder, 'out'), '--json'];
      assertRefused(await cli(...args), refusal);
      assert.deepEqual(entries(folder), []);
    });
  }
  for (const refusal of [...checkpoints, ...requests].filter(({ spawned }) => spawned)) {
    it(`${refusal.name}, in a process of its own`, async () => {
      const folder = temporaryFolder();
      const args = [...refusal.args(), '--out', join(folder, 'out'), '--json'];
      assertRefused(await outcomeOf(start(args)), refusal);
      assert.deepEqual(entries(folder), []);
    });
  }

  it('an output folder that holds something, and leaves it alone', async () => {
    const out = join(temporaryFolder(), 'out');
    mkdirSync(out);
    writeFileSync(join(out, 'thesis.txt'), 'years of work');
    const outcome = await cli(...grow(gpt2), '--out', out, '--json');
    assertRefused(outcome, { name: '', args: () => [], says: /already exists and is not empty/ });
    assert.deepEqual(entries(out), ['thesis.txt']);
    assert.deepEqual(entries(join(out, '..')), ['out']);
  });

  it('an output folder below a file', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const outcome = await cli(...grow(gpt2), '--out', join(folder, 'file', 'out'), '--json');
    assertRefused(outcome, { name: '', args: () => [], says: /file/ });
    assert.deepEqual(entries(folder), ['file']);
  });
});

/** Mounts a memory disk; false where that is not allowed. */
const mount = (folder: string, options: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status === 0;

describe('on disks that refuse', () => {
  const mounted: string[] = [];
  // Before the folders' own end.
  after(() => {
    for (const folder of mounted) spawnSync('umount', [folder]);
  });
  const [full, readOnly] = [temporaryFolder(), temporaryFolder()];
  before(() => {
    if (mount(full, 'size=1536k')) mounted.push(full);
    if (mount(readOnly, 'ro')) mounted.push(readOnly);
  });

  it('the command line says that the disk is full, and keeps what was trained if that fits', async t => {
    if (!mounted.includes(full)) return t.skip('mounting a small disk needs root');
    const refusal = { name: '', args: () => [], says: /the disk is full/ };
    const stacked = ['grow', gpt2, '--layers', '6', '--hidden', '128', '--method', 'stack'];
    assertRefused(await cli(...stacked, '--out', join(full, 'out'), '--json'), refusal);
    assert.deepEqual(entries(full), []);
    const learned = ['grow', gpt2, '--layers', '12', ...quick];
    const outcome = await cli(...learned, '--out', join(full, 'out'), '--json');
    assertRefused(outcome, refusal);
    assert.match(outcome.stderr, /--resume: the training is kept in .*out\.run/);
    assert.deepEqual(entries(full), ['out.run']);
  });

  it('the command line says that the disk is read-only', async t => {
    if (!mounted.includes(readOnly)) return t.skip('mounting a read-only disk needs root');
    const outcome = await cli(...grow(gpt2), '--out', join(readOnly, 'out'), '--json');
    assertRefused(outcome, { name: '', args: () => [], says: /read-only/ });
    assert.deepEqual(entries(readOnly), []);
  });
});
