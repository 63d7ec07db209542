// How long a host takes to find the runs of earlier hosts:
//   node --import tsx test/bench/restore.ts [runs] [bytes of each log] [--twice]
// Every run has ended; its log has steps, warnings and pictures up to the size asked for.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeviceClaims } from '../../src/host/runs/deviceClaims';
import { localLauncher } from '../../src/host/runs/launcher';
import { Runs } from '../../src/host/runs/runs';
import { runFiles } from '../../src/protocol/runFolder';

const [runs = 2000, logBytes = 20_000] = process.argv.slice(2).map(Number);

const model = {
  ...{ family: 'gpt2', modelClass: 'GPT2LMHeadModel', layers: 3, hidden: 64, heads: 4, ffn: 256 },
  parameters: 213_696,
};
const scores = (loss: number) => ({ loss, accuracy: 0.33, perplexity: Math.exp(loss), batches: 4 });
const receipt = {
  ...{ software: { name: 'ligo-grow', version: '0.1.0' }, created: '2026-11-27T00:00:00.000Z' },
  source: {
    ...{
      ...model,
      path: '/checkpoints/small',
      files: ['model.safetensors'],
      sha256: 'a'.repeat(64),
    },
    companions: ['tokenizer.json', 'tokenizer_config.json'].map(name => ({
      ...{ name, sha256: 'b'.repeat(64) },
    })),
  },
  target: { ...model, layers: 6 },
  targetConfig: Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`field_${at}`, at])),
  method: { name: 'ligo', settings: { steps: 100, warmup: 10, widthLearningRate: 0.003 } },
  ...{ seed: 0, steps: 100 },
  data: {
    ...{ path: '/data/text', files: [{ name: 'text', bytes: 1e6 }], sha256: 'c'.repeat(64) },
    ...{ hashed: 'contents', heldOut: 'the last 5000 of 100000 bytes' },
  },
  engine: { name: 'cpu', device: 'CPU' },
  losses: { small: scores(3.3), before: scores(3.9), after: scores(3.4), frequencies: 5.9 },
  parity: { relativeError: 0.2, agreement: 0.8 },
  drift: {
    groups: Object.fromEntries(['width', 'depth'].map(name => [name, 0.1])),
    operators: Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`operator.${at}`, 0.1])),
  },
  ...{ flops: { perStep: 1e9, total: 1e11 }, seconds: 12, warnings: ['The text is short.'] },
};

/** The log of a growth that ended, of about so many bytes. */
function logOf(bytes: number): string {
  const step = (at: number): string =>
    JSON.stringify({
      ...{ type: 'step', phase: 'operators', step: at, steps: 100, loss: 3.5, gradientNorm: 1 },
      ...{ learningRate: { width: 0.003, depth: 0.003 }, flops: 1e9, seconds: 0.1 },
      ...{ tokensPerSecond: 5000, time: at },
    });
  const end = JSON.stringify({ type: 'done', out: '/out', receipt, time: 1e6 });
  const lines: string[] = [
    JSON.stringify({ type: 'device', engine: 'cpu', device: 'CPU', time: 0 }),
  ];
  let length = end.length;
  for (let at = 1; length < bytes; at++) length += lines[lines.push(step(at)) - 1]!.length + 1;
  return `${[...lines, end].join('\n')}\n`;
}

const parent = mkdtempSync(join(tmpdir(), 'ligo-restore-'));
const log = logOf(logBytes);
for (let index = 0; index < runs; index++) {
  const id = `run-${index}`;
  const folder = join(parent, id);
  mkdirSync(folder);
  const request = {
    ...{ version: 1, id, title: id, created: index, kind: 'grow', engine: 'cpu', method: 'ligo' },
    ...{ checkpoint: '/checkpoints/small', target: { layers: 6, hidden: 96 }, out: `/out/${id}` },
    data: { path: '/data/text', batchSize: 32, sequenceLength: 64 },
    ...{ steps: 100, seed: 0, resume: false, overwrite: false },
  };
  writeFileSync(join(folder, runFiles.request), `${JSON.stringify(request, null, 2)}\n`);
  writeFileSync(join(folder, runFiles.process), '{"pid":1,"started":1}');
  writeFileSync(join(folder, runFiles.events), log);
}
try {
  for (let round = 0; round < 3; round++) {
    const service = new Runs({
      ...{ folder: parent, keep: () => 1e6, mayStart: () => false },
      devices: new DeviceClaims(`${parent}.devices`, () => ''),
      launcher: localLauncher(() => {
        throw new Error('nothing is started');
      }),
      onError: error => {
        throw error;
      },
    });
    const cpu = process.cpuUsage();
    const start = performance.now();
    await service.restore();
    const wall = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    const ended = service.list().filter(({ status }) => status === 'done').length;
    const ms = (value: number): string => `${Math.round(value)} ms`;
    console.log(
      `${ended} of ${runs} runs, logs of ${log.length} bytes: ${ms(wall)}, processor ${ms((user + system) / 1000)} (${ms(system / 1000)} in the system)`,
    );
    service.dispose();
  }
} finally {
  rmSync(parent, { recursive: true, force: true });
}
