import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openReporter } from '../../../src/cli/reporter';
import type { GrowthPlan, RunEvent } from '../../../src/protocol/events';
import { example, fixture } from '../../support/fixtures';
import { safetensors } from '../checkpoint/files';
import { copyOf, editConfig, entries, temporaryFolder } from '../run/support';
import { cli, jsonLines } from './support';

const gpt2 = example('gpt2-kjv');
const data = ['--data', example('kjv.txt'), '--batch', '2', '--sequence-length', '16'];
const short = [...data, '--eval-batches', '1', '--line-separator', 'newline'];
const larger = ['--layers', '4', '--hidden', '80'];
const ESCAPE = '\u001b';

describe('grow', () => {
  it('prints nothing but events with --json, each with its type and time', async () => {
    const out = join(temporaryFolder(), 'out');
    const run = await cli(
      'grow',
      gpt2,
      ...larger,
      ...short,
      '--steps',
      '3',
      '--out',
      out,
      '--json',
    );
    assert.equal(run.stderr, '');
    assert.equal(run.code, 0);
    const events = jsonLines(run.stdout);
    for (const event of events) {
      assert.equal(typeof event.type, 'string');
      assert.equal(event.time, Date.UTC(2026, 0, 1));
    }
    const types = [...new Set(events.map(({ type }) => type))];
    assert.deepEqual(types, ['device', 'evaluation', 'plan', 'step', 'operators', 'done']);
    const done = events.at(-1)!;
    assert.ok(done.type === 'done' && done.receipt);
    assert.deepEqual(JSON.parse(readFileSync(join(out, 'growth.json'), 'utf8')), done.receipt);
  });

  it('prints plain lines in a pipe, about twenty of progress, without escape codes', async () => {
    const out = join(temporaryFolder(), 'out');
    const run = await cli('grow', gpt2, ...larger, ...short, '--steps', '60', '--out', out);
    assert.equal(run.code, 0);
    assert.ok(!run.stdout.includes(ESCAPE) && !run.stdout.includes('\r'));
    const progress = run.stdout.split('\n').filter(line => line.includes('tokens/s'));
    assert.ok(progress.length >= 15 && progress.length <= 25, `${progress.length} lines`);
    assert.match(progress.at(-1)!, /step 60\/60 {2}loss \d\.\d{4} .* left$/);
    assert.match(run.stdout, /Small model: +held-out loss \d/);
    assert.ok(run.stdout.endsWith(`Wrote ${out}.\n`));
  });

  it('takes the learning rate for both groups, and each group’s own before it', async () => {
    const folder = temporaryFolder();
    const rates = async (...options: string[]) => {
      const out = join(folder, String(entries(folder).length));
      const args = ['grow', gpt2, ...larger, ...short, '--steps', '1', '--schedule', 'constant'];
      const run = await cli(...args, ...options, '--warmup', '0', '--out', out, '--json');
      const step = jsonLines(run.stdout).find(event => event.type === 'step');
      return step?.type === 'step' ? step.learningRate : undefined;
    };
    assert.deepEqual(await rates('--learning-rate', '0.001'), { width: 0.001, depth: 0.001 });
    const both = ['--learning-rate', '0.001', '--depth-learning-rate', '0.5'];
    assert.deepEqual(await rates(...both), { width: 0.001, depth: 0.5 });
  });

  it('joins lines by the tokenizer’s end token when asked to', async () => {
    const out = join(temporaryFolder(), 'out');
    const args = ['grow', gpt2, ...larger, ...data, '--eval-batches', '1', '--steps', '1'];
    const run = await cli(...args, '--line-separator', 'eos', '--out', out, '--json');
    const done = jsonLines(run.stdout).at(-1)!;
    assert.ok(done.type === 'done');
    assert.equal(done.receipt?.data?.separator, 'Lines are joined by token 0, as was asked for.');
  });
});

describe('apply and train', () => {
  it('work from the command line', async () => {
    const folder = temporaryFolder();
    const grown = join(folder, 'grown');
    await cli('grow', gpt2, ...larger, ...short, '--steps', '1', '--out', grown);
    const operators = ['--operators', join(grown, 'operators.safetensors')];
    const applied = join(folder, 'applied');
    const run = await cli('apply', gpt2, ...larger, ...operators, '--out', applied, '--json');
    assert.deepEqual([run.code, run.stderr], [0, '']);
    const weights = (folder: string) => readFileSync(join(folder, 'model.safetensors'));
    assert.ok(weights(applied).equals(weights(grown)));

    const out = join(folder, 'trained');
    const trained = await cli('train', grown, ...short, '--steps', '2', '--out', out);
    assert.equal(trained.code, 0);
    assert.match(trained.stdout, /Before training: .*\n.*step 1\/2 .*\n.*step 2\/2 .*\nResult: /);
    assert.ok(entries(out).includes('training.json') && entries(out).includes('growth.json'));
    assert.ok(!weights(out).equals(weights(grown)));
  });
});

describe('inspect', () => {
  it('tells what a checkpoint is', async () => {
    const { code, stdout } = await cli('inspect', gpt2, '--tensors');
    assert.equal(code, 0);
    assert.match(stdout, /^family +gpt2\nclass +GPT2LMHeadModel\n/);
    assert.match(stdout, /\nlayers +3\nhidden units +64\nheads +4 \(of 16 units\)\n/);
    assert.match(stdout, /\nparameters +223,808\nhead +tied to the embeddings\n/);
    assert.match(stdout, /\ntransformer\.h\.2\.attn\.c_attn\.weight +F32 +\[64, 192\] +49\.2 kB\n/);
  });

  it('prints one object with --json', async () => {
    const { stdout } = await cli('inspect', fixture('hf/bert-sharded'), '--json');
    const inspection = JSON.parse(stdout) as Record<string, unknown>;
    assert.equal((inspection['files'] as string[]).length, 6);
    assert.equal((inspection['model'] as { family: string }).family, 'bert');
  });

  it('tells why a checkpoint cannot be used', async () => {
    const folder = editConfig(copyOf(gpt2), { model_type: 'mamba' });
    const { code, stdout } = await cli('inspect', folder);
    assert.equal(code, 0);
    assert.match(stdout, /family +not recognised/);
    assert.match(stdout, /Problems:\n {2}.*mamba/);
  });

  it('does not let a file steer the terminal', async () => {
    const folder = editConfig(copyOf(gpt2), { model_type: `mamba${ESCAPE}[2J` });
    const file = join(folder, 'model.safetensors');
    const bytes = readFileSync(file);
    const end = 8 + Number(bytes.readBigUInt64LE(0));
    const text = bytes.toString('utf8', 8, end).trimEnd().replace('"pt"', '"\\u001b[2J"');
    writeFileSync(file, Buffer.concat([safetensors(text), bytes.subarray(end)]));
    const { stdout } = await cli('inspect', folder);
    assert.ok(!stdout.includes(ESCAPE));
    assert.match(stdout, /metadata +format=\\u001b\[2J/);
    const grown = await cli('plan', folder, '--layers', '4');
    assert.equal(grown.code, 1);
    assert.match(grown.stderr, /mamba/);
    assert.ok(!grown.stderr.includes(ESCAPE));
  });
});

describe('plan', () => {
  it('shows sizes before and after, and the cost', async () => {
    const { code, stdout } = await cli('plan', gpt2, ...larger, '--batch', '4', '--steps', '10');
    assert.equal(code, 0);
    assert.match(
      stdout,
      /layers +3 +4\nhidden units +64 +80\nheads +4 +5\nfeed-forward +256 +320\n/,
    );
    assert.match(stdout, /\noperators +\d+ \(width [\d,]+, depth [\d,]+ values\)\n/);
    assert.match(stdout, /\ntime +about .* \(an estimate: /);
  });

  it('plans what the method learns, and shows what it refuses', async () => {
    const plan = async (...options: string[]) => {
      const { code, stdout } = await cli('plan', gpt2, ...options, '--batch', '4', '--json');
      return { code, ...(JSON.parse(stdout) as GrowthPlan) };
    };
    const [ligo, mango] = [await plan(...larger), await plan(...larger, '--method', 'mango')];
    assert.equal(mango.code, 0);
    // Two width operators of 16 × 64 and one of 12 × 12, where LiGO has one a space and layer.
    assert.equal(mango.operators.width, 2 * 16 * 64 + 12 * 12 + 1);
    assert.ok(ligo.operators.width > 10_000);
    assert.notEqual(mango.cost!.flopsPerStep, ligo.cost!.flopsPerStep);
    const { code, refusals } = await plan(...larger, '--ffn', '400', '--method', 'mango');
    assert.equal(code, 1);
    assert.match(refusals[0]!.reason, /^mango keeps the 4 blocks/);
  });

  it('counts one feed-forward operator for all layers where they share it', async () => {
    const widths = async (...options: string[]): Promise<number> => {
      const { stdout } = await cli('plan', gpt2, ...larger, ...options, '--json');
      return (JSON.parse(stdout) as GrowthPlan).operators.width;
    };
    // Four layers of 64 × 256 each, where one is left.
    assert.equal((await widths()) - (await widths('--share-ffn')), 3 * 64 * 256);
    const refused = await cli('plan', gpt2, ...larger, '--share-ffn', '--method', 'mango');
    assert.notEqual(refused.code, 0);
    assert.match(
      refused.stderr,
      /Sharing feed-forward operators says nothing for mango.*\nLeave --share-ffn out/,
    );
  });

  it('prints one object with --json', async () => {
    const { stdout } = await cli('plan', example('vit-fmnist'), '--layers', '6', '--json');
    const plan = JSON.parse(stdout) as { estimate: { secondsPerStep: number; from: string } };
    assert.ok(plan.estimate.secondsPerStep > 0);
    assert.equal(plan.estimate.from, 'step');
  });

  it('prints every refusal and fails', async () => {
    const sizes = ['--layers', '2', '--hidden', '100', '--heads', '7'];
    const { code, stdout, stderr } = await cli('plan', gpt2, ...sizes);
    assert.deepEqual([code, stderr], [1, '']);
    assert.match(
      stdout,
      /This growth is refused:\n {2}The target has 2 layers.*\n {2}100 hidden units/,
    );
    const json = await cli('plan', gpt2, ...sizes, '--json');
    assert.equal(json.code, 1);
    assert.equal((JSON.parse(json.stdout) as { refusals: unknown[] }).refusals.length, 2);
  });
});

describe('evaluate', () => {
  it('prints held-out scores', async () => {
    const { code, stdout } = await cli('evaluate', gpt2, ...short);
    assert.equal(code, 0);
    assert.match(stdout, /^held-out loss +\d\.\d{4} nats\naccuracy +\d+\.\d %\nperplexity +\d/);
    const json = await cli('evaluate', gpt2, ...short, '--json');
    const { loss, perplexity } = JSON.parse(json.stdout) as Record<string, number>;
    assert.ok(Math.abs(Math.exp(loss!) - perplexity!) < 1e-9);
  });

  it('warns of sequences longer than it was trained with, apart from what it prints', async () => {
    const long = ['--data', example('kjv.txt'), '--batch', '16', '--sequence-length', '128'];
    const { stdout, stderr } = await cli(
      ...['evaluate', gpt2, ...long, '--eval-batches', '2', '--json'],
    );
    assert.match(stderr, /^Warning: The checkpoint predicts worse .*\(--sequence-length 64\)\.\n$/);
    assert.ok(JSON.parse(stdout));
  });

  it('does not speak of perplexity where pictures are told apart', async () => {
    const set = ['--data', example('fashion-mnist'), '--batch', '8', '--eval-batches', '1'];
    const { code, stdout } = await cli('evaluate', example('vit-fmnist'), ...set);
    assert.equal(code, 0);
    assert.match(stdout, /accuracy/);
    assert.doesNotMatch(stdout, /perplexity/);
  });
});

describe('help', () => {
  it('is shown with exit code 0, and its absence with 2', async () => {
    const help = await cli('--help');
    assert.equal(help.code, 0);
    for (const command of ['inspect', 'plan', 'grow', 'apply', 'train', 'evaluate']) {
      assert.match(help.stdout, new RegExp(`\n {2}${command} `));
      assert.equal((await cli(command, '--help')).code, 0);
    }
    assert.match((await cli('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
    assert.equal((await cli()).code, 2);
    assert.equal((await cli('paint')).code, 2);
  });
});

describe('--verbose', () => {
  it('shows the stack of an error', async () => {
    const { stderr } = await cli('inspect', '/no/such/place', '--verbose');
    assert.match(stderr, /^Error: .*\n[A-Z].*\n.*\n +at /);
    assert.match(stderr, /Caused by: Error: ENOENT/);
  });
});

describe('a terminal', () => {
  const step = (number: number): RunEvent => ({
    ...{ type: 'step', phase: 'operators', step: number, steps: 4, loss: 3, time: 0 },
    ...{ learningRate: {}, gradientNorm: 1, seconds: 1, tokensPerSecond: 1000, flops: 1 },
  });

  it('gets a bar that fills, and is put in order when the run ends', () => {
    let drawn = '';
    const stdout = Object.assign(
      { isTTY: true, columns: 100, rows: 20 },
      { write: (text: string) => ((drawn += text), true) },
    );
    const signal = new AbortController().signal;
    const host = { stdout, stderr: stdout, signal, now: () => 0, script: '' };
    const reporter = openReporter(host, {}, 'tokens');
    for (const number of [1, 2, 3, 4]) reporter.emit(step(number));
    reporter.close();
    assert.match(drawn, /█+░* 4\/4 {2}loss 3\.0000 {2}1,000 tokens\/s {2}0 s left/);
    assert.ok(drawn.includes(`${ESCAPE}[?25l`), 'the cursor is hidden');
    assert.ok(drawn.lastIndexOf(`${ESCAPE}[?25h`) > drawn.lastIndexOf(`${ESCAPE}[?25l`));
  });
});
