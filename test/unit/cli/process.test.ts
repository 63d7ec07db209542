import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import {
  ftruncateSync,
  openSync,
  writeFileSync,
  writeSync,
  closeSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { listenForInterruption } from '../../../src/cli/interruption';
import { reportFailure } from '../../../src/cli/failure';
import { LostOutput, stopWithoutOutput, type Outlets } from '../../../src/cli/pipe';
import { InterruptedError } from '../../../src/errors';
import { example, fixtureJson } from '../../support/fixtures';
import { safetensors } from '../checkpoint/files';
import { contents, entries, temporaryFolder } from '../run/support';
import { builtCli, outcomeOf, start } from './process';

const gpt2 = example('gpt2-kjv');
const task = [
  ...['grow', gpt2, '--layers', '4', '--hidden', '80', '--data', example('kjv.txt')],
  ...['--batch', '2', '--sequence-length', '16', '--eval-batches', '1', '--threads', '2'],
];

/** A checkpoint of the size asked for that takes no room on the disk, with GPT-2's tensors. */
function sparseCheckpoint(layers: number, hidden: number): { folder: string; bytes: number } {
  const folder = temporaryFolder();
  const config = fixtureJson<Record<string, unknown>>('hf/gpt2/config.json');
  const sizes = { n_layer: layers, n_embd: hidden, n_head: hidden / 64, vocab_size: 50257 };
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ ...config, ...sizes, n_positions: 1024 }),
  );
  const shapes: [string, number[]][] = [
    ['wte.weight', [50257, hidden]],
    ['wpe.weight', [1024, hidden]],
    ['ln_f.weight', [hidden]],
    ['ln_f.bias', [hidden]],
  ];
  for (let layer = 0; layer < layers; layer++) {
    for (const [name, shape] of [
      ['ln_1', [hidden]],
      ['attn.c_attn', [hidden, 3 * hidden]],
      ['attn.c_proj', [hidden, hidden]],
      ['ln_2', [hidden]],
      ['mlp.c_fc', [hidden, 4 * hidden]],
      ['mlp.c_proj', [4 * hidden, hidden]],
    ] as const) {
      shapes.push([`h.${layer}.${name}.weight`, [...shape]]);
      shapes.push([`h.${layer}.${name}.bias`, [shape.at(-1)!]]);
    }
  }
  let at = 0;
  const header = Object.fromEntries(
    shapes.map(([name, shape]) => {
      const begin = at;
      at += 4 * shape.reduce((product, length) => product * length, 1);
      return [`transformer.${name}`, { dtype: 'F32', shape, data_offsets: [begin, at] }];
    }),
  );
  const head = safetensors(header);
  const file = openSync(join(folder, 'model.safetensors'), 'w');
  writeSync(file, head);
  ftruncateSync(file, head.byteLength + at);
  closeSync(file);
  return { folder, bytes: at };
}

describe('the process', () => {
  it('inspects ten gigabytes in little memory, reading little', async t => {
    if (process.platform !== 'linux') return t.skip('only Linux tells what a process has read');
    const { folder, bytes } = sparseCheckpoint(48, 2048);
    assert.ok(bytes > 9.9e9, `${bytes} bytes`);
    const probe = join(temporaryFolder(), 'probe.mjs');
    writeFileSync(
      probe,
      `import { readFileSync } from 'node:fs';
       process.on('exit', () => {
         const read = Number(/rchar: (\\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))[1]);
         const memory = process.resourceUsage().maxRSS * 1024;
         process.stderr.write(JSON.stringify({ read, memory, seconds: performance.now() / 1000 }));
       });`,
    );
    const run = await outcomeOf(start(['inspect', folder], ['--import', probe]));
    assert.equal(run.code, 0);
    assert.match(run.stdout, /parameters +2,5\d\d,\d{3},\d{3}\n/);
    const { read, memory, seconds } = JSON.parse(run.stderr) as Record<string, number>;
    t.diagnostic(`${read} bytes read, ${memory} bytes of memory, ${seconds} s`);
    // What is read is mostly the program itself.
    assert.ok(read! < 8e6, `${read} bytes read`);
    assert.ok(memory! < 150e6, `${memory} bytes of memory`);
  });

  it('converts gigabytes in the memory of a few parts', async t => {
    if (process.platform !== 'linux')
      return t.skip('the memory of other systems is counted otherwise');
    const { folder, bytes } = sparseCheckpoint(9, 2048);
    assert.ok(bytes > 2.1e9, `${bytes} bytes`);
    const probe = join(temporaryFolder(), 'probe.mjs');
    writeFileSync(
      probe,
      `process.on('exit', () => {
         process.stderr.write(String(process.resourceUsage().maxRSS * 1024));
       });`,
    );
    const out = join(temporaryFolder(), 'out');
    const run = await outcomeOf(start(['convert', folder, '--out', out], ['--import', probe]));
    assert.equal(run.code, 0, run.stderr);
    const memory = Number(/\d+$/.exec(run.stderr)![0]);
    t.diagnostic(`${memory} bytes of memory`);
    assert.ok(statSync(join(out, 'model.safetensors')).size > bytes);
    assert.ok(memory < 300e6, `${memory} bytes of memory`);
  });

  it('saves its state on Ctrl-C and ends with the same bytes when resumed', async () => {
    const folder = temporaryFolder();
    const [whole, out] = [join(folder, 'whole'), join(folder, 'out')];
    const steps = ['--steps', '40', '--line-separator', 'none'];
    assert.equal((await outcomeOf(start([...task, ...steps, '--out', whole]))).code, 0);

    const child = start([...task, ...steps, '--out', out, '--json']);
    let seen: string | undefined = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      if (seen === undefined) return;
      seen += chunk.toString();
      if (!/"type":"step".*"step":4\b/.test(seen)) return;
      seen = undefined;
      child.kill('SIGINT');
    });
    const stopped = await outcomeOf(child);
    assert.equal(stopped.code, 130);
    assert.match(
      stopped.stderr,
      /Interrupted: Stopped after \d+ of 40 steps; .*\nRun the same .*--resume/,
    );
    const last = JSON.parse(stopped.stdout.trimEnd().split('\n').at(-1)!) as { type: string };
    assert.equal(last.type, 'failed');
    assert.deepEqual(entries(folder), ['out.run', 'whole']);

    const resumed = await outcomeOf(start([...task, ...steps, '--out', out, '--resume']));
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.deepEqual(entries(folder), ['out', 'whole']);
    for (const [name, hash] of Object.entries(contents(whole))) {
      if (name !== 'growth.json') assert.equal(contents(out)[name], hash, name);
    }
    const receipt = (of: string): Record<string, unknown> => {
      const text = readFileSync(join(of, 'growth.json'), 'utf8');
      return { ...(JSON.parse(text) as Record<string, unknown>), created: '', seconds: 0 };
    };
    const { resumedAfter, ...same } = receipt(out);
    assert.deepEqual(same, receipt(whole));
    // That it was stopped is part of what happened.
    assert.equal((resumedAfter as number[]).length, 1);
  });

  it('ends on SIGTERM as on Ctrl-C', async () => {
    const folder = temporaryFolder();
    const child = start([...task, '--steps', '100000', '--out', join(folder, 'out')]);
    child.stdout!.once('data', () => child.kill('SIGTERM'));
    assert.equal((await outcomeOf(child)).code, 130);
    assert.ok(!entries(folder).some(name => name.startsWith('.ligo-') || name === 'out'));
  });

  it('saves its state when its terminal closes', async () => {
    const folder = temporaryFolder();
    for (const command of ['grow', 'train']) {
      const out = join(folder, command);
      const sizes = command === 'grow' ? ['--layers', '4', '--hidden', '80'] : [];
      const args = [command, gpt2, ...sizes, ...task.slice(6), '--steps', '100000'];
      const child = start([...args, '--line-separator', 'none', '--out', out, '--json']);
      let seen: string | undefined = '';
      child.stdout!.on('data', (chunk: Buffer) => {
        if (seen === undefined) return;
        seen += chunk.toString();
        if (!/"type":"step".*"step":2\b/.test(seen)) return;
        seen = undefined;
        child.kill('SIGHUP');
      });
      const { code, stderr } = await outcomeOf(child);
      assert.equal(code, 130);
      assert.match(stderr, /Interrupted: Stopped after \d+ of 100,000 steps; the state is in /);
    }
    assert.deepEqual(entries(folder), ['grow.run', 'train.run']);
  });

  it('ends quietly when its reader has seen enough', async () => {
    const child = start(['inspect', gpt2, '--tensors']);
    child.stdout!.destroy();
    const { code, stderr } = await outcomeOf(child);
    assert.deepEqual([code, stderr], [0, '']);
  });

  it('stops a run whose reader has left', async () => {
    const folder = temporaryFolder();
    const child = start([...task, '--steps', '100000', '--out', join(folder, 'out'), '--json']);
    child.stdout!.once('data', () => child.stdout!.destroy());
    const { code, stderr } = await outcomeOf(child);
    assert.equal(code, 130);
    assert.match(stderr, /^Interrupted: Stopped/);
    assert.ok(!entries(folder).includes('out'));
  });
});

describe('interruption', () => {
  it('asks politely first, and quits the second time', () => {
    const exits: number[] = [];
    const written: string[] = [];
    const stderr = { write: (text: string) => written.push(text) };
    const target = Object.assign(new EventEmitter(), {
      stderr,
      exit: (code: number) => exits.push(code),
    });
    const { signal } = listenForInterruption(target as never);
    target.emit('SIGINT');
    assert.deepEqual([signal.aborted, exits], [true, []]);
    assert.match(written.join(''), /once more to quit at once/);
    target.emit('SIGINT');
    assert.deepEqual(exits, [130]);
  });

  it('stops for a closed terminal and for Ctrl-Break, and is not hurried by the first', () => {
    for (const [signal, expected] of [
      ['SIGHUP', []],
      ['SIGBREAK', [130]],
    ] as const) {
      const exits: number[] = [];
      const stderr = { write: () => undefined };
      const target = Object.assign(new EventEmitter(), {
        stderr,
        exit: (code: number) => exits.push(code),
      });
      const controller = listenForInterruption(target as never);
      target.emit(signal);
      assert.ok(controller.signal.aborted, signal);
      target.emit(signal);
      assert.deepEqual(exits, expected, signal);
    }
  });
});

describe('output that goes nowhere', () => {
  const outlets = () => {
    const target: Outlets = { stdout: new EventEmitter(), stderr: new EventEmitter() };
    const interruption = new AbortController();
    stopWithoutOutput(target, interruption);
    return { target, interruption };
  };
  const failure = (code: string) => Object.assign(new Error(code), { code });

  it('is no failure when the reader left', () => {
    const { target, interruption } = outlets();
    target.stdout.emit('error', failure('EPIPE'));
    assert.ok(interruption.signal.aborted);
    assert.ok(!(interruption.signal.reason instanceof LostOutput));
  });

  it('is why a run stops when the disk is full, told with what became of the run', () => {
    const { target, interruption } = outlets();
    target.stdout.emit('error', failure('ENOSPC'));
    target.stdout.emit('error', failure('EIO'));
    const told: string[] = [];
    const output = { write: (text: string) => void told.push(text) };
    const { signal } = interruption;
    const host = { stdout: output, stderr: output, signal, now: () => 0, script: '' };
    const stopped = new InterruptedError('Stopped after 2 of 9 steps.', 'Go on with --resume.');
    assert.equal(reportFailure(host, stopped, { json: false, verbose: false }), 1);
    assert.deepEqual(told, [
      'Error: Standard output cannot be written: the disk is full. Stopped after 2 of 9 steps.\nSend it elsewhere. Go on with --resume.\n',
    ]);
  });

  it('does not stop a run that only cannot complain', () => {
    const { target, interruption } = outlets();
    target.stderr.emit('error', failure('EIO'));
    assert.ok(!interruption.signal.aborted);
  });

  /** What a command says to standard error when standard output is on a full device, and its exit code. */
  async function onFullDevice(args: readonly string[]): Promise<{ code: number; told: string }> {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [builtCli, ...args], {
      stdio: ['ignore', full, 'pipe'],
    });
    let told = '';
    child.stderr!.on('data', (chunk: Buffer) => (told += chunk.toString()));
    const code = await new Promise<number | null>(resolve => child.on('close', resolve));
    closeSync(full);
    return { code: code!, told };
  }
  const needsFullDevice = {
    skip: process.platform === 'linux' ? false : 'only Linux has a device that is always full',
  };
  const data = ['--data', example('kjv.txt'), '--line-separator', 'none'];
  const small = ['--batch', '2', '--sequence-length', '16', '--eval-batches', '1'];
  const target = ['--layers', '4', '--hidden', '80'];

  for (const [name, args] of Object.entries({
    inspect: ['inspect', gpt2],
    'inspect --json': ['inspect', gpt2, '--json'],
    plan: ['plan', gpt2, ...target],
    'plan of what is refused': ['plan', gpt2, '--layers', '1', '--json'],
    evaluate: ['evaluate', gpt2, ...data, ...small],
    doctor: ['doctor'],
    help: ['grow', '--help'],
  })) {
    it(`ends ${name} with one message`, needsFullDevice, async () => {
      const { code, told } = await onFullDevice(args);
      assert.equal(code, 1);
      assert.match(told, /^Error: Standard output cannot be written: the disk is full\.\n.*\n$/m);
      assert.equal(told.match(/Error:|Interrupted:/g)?.length, 1, told);
    });
  }

  it('leaves a failure that was told as it is', needsFullDevice, async () => {
    const { code, told } = await onFullDevice(['inspect', '--json']);
    assert.equal(code, 2);
    assert.match(told, /^Error: Missing required argument/);
    assert.equal(told.match(/Error:|Interrupted:/g)?.length, 1, told);
  });

  for (const [name, args] of Object.entries({
    grow: ['grow', gpt2, ...target, '--steps', '100000'],
    'grow --json': ['grow', gpt2, ...target, '--steps', '100000', '--json'],
    train: ['train', gpt2, '--steps', '100000'],
    'train --json': ['train', gpt2, '--steps', '100000', '--json'],
    compare: ['compare', gpt2, ...target, '--steps', '100000', '--methods', 'stack'],
  })) {
    it(`stops ${name} with one message`, needsFullDevice, async () => {
      const folder = temporaryFolder();
      const run = [...args, ...data, ...small, '--threads', '2', '--out', join(folder, 'out')];
      const { code, told } = await onFullDevice(run);
      assert.equal(code, 1);
      assert.match(told, /^Error: Standard output cannot be written: the disk is full\. Stopped/m);
      assert.match(told, /\nSend it elsewhere\. Run the same command.*\n$/);
      assert.equal(told.match(/Error:|Interrupted:/g)?.length, 1, told);
      assert.ok(!entries(folder).some(entry => entry === 'out' || entry.endsWith('.partial')));
    });
  }
});

describe('a disk that takes no more', () => {
  /** Runs a command whose files may have so many KiB; blocks are of 1 KiB in bash, of 512 bytes in sh. */
  const limited = (kib: number, args: readonly string[]) =>
    outcomeOf(
      spawn(
        'bash',
        ['-c', `ulimit -f ${kib}; exec "$@"`, 'bash', process.execPath, builtCli, ...args],
        {
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      ),
    );
  const skip = process.platform === 'win32' ? 'there are no such limits' : false;

  it('is told once, with a remedy, and leaves nothing half-written', { skip }, async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'out');
    const { code, stderr } = await limited(200, [...task, '--steps', '2', '--out', out]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /Error: .*out\/model\.safetensors cannot be written: the disk allows no file/,
    );
    assert.equal(stderr.match(/Error:/g)?.length, 1, stderr);
    assert.deepEqual(entries(folder), []);
  });

  it('keeps the state where that fits, and the runs of a comparison', { skip }, async () => {
    const folder = temporaryFolder();
    const grown = await limited(1000, [...task, '--steps', '2', '--out', join(folder, 'grown')]);
    assert.equal(grown.code, 1);
    assert.match(grown.stderr, /--resume: the training is kept in .*grown\.run/);
    const compared = ['compare', ...task.slice(1), '--methods', 'stack', '--steps', '2'];
    const comparison = await limited(8, [...compared, '--out', join(folder, 'compared')]);
    assert.equal(comparison.code, 1);
    assert.match(comparison.stderr, /--resume: 2 runs are kept in .*compared\.run/);
    assert.deepEqual(entries(folder), ['compared.run', 'grown.run']);
  });
});
