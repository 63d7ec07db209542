import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EventTail } from '../../../src/host/runs/eventTail';
import { parsePicture } from '../../../src/host/runs/pictures';
import type { PooledMatrix, RunEvent } from '../../../src/protocol/events';
import { packMatrix, unpackValues } from '../../../src/protocol/packedMatrix';
import { logBudget, runFiles } from '../../../src/protocol/runFolder';
import { openEventLog } from '../../../src/worker/eventLog';
import { fitPicture } from '../../../src/worker/pictureSize';
import { temporaryFolder } from './runFolder';

const most = 5_000_000;

const stepEvent = (step: number, steps: number): RunEvent => ({
  ...{ type: 'step', phase: 'operators', step, steps, loss: 3 + Math.sin(step), flops: 1e12 },
  ...{
    learningRate: { width: 1e-3 / 3, depth: 1e-3 / 7 },
    gradientNorm: 1 / 3,
    seconds: 0.1234567,
  },
  ...{ tokensPerSecond: 12345.678, time: 1_760_000_000_000 + step / 100 },
});

const operators = (count: number, side: number, shift = 0): PooledMatrix[] =>
  Array.from({ length: count }, (_, index) => ({
    ...{ name: `width.layer.${index}`, group: 'width', shape: [3072, 1024] },
    ...{ rows: side, columns: side },
    values: Array.from({ length: side * side }, (__, cell) =>
      Number(Math.sin(cell + index + shift).toPrecision(5)),
    ),
  }));

const bytesIn = (folder: string): number =>
  [runFiles.events, runFiles.newest, runFiles.picture]
    .map(name => join(folder, name))
    .filter(path => existsSync(path))
    .reduce((sum, path) => sum + statSync(path).size, 0);

/** What a host reads of a run's events. */
async function followed(folder: string) {
  const steps: number[] = [];
  const tail = new EventTail(
    join(folder, runFiles.events),
    events => steps.push(...events.flatMap(event => (event.type === 'step' ? event.step : []))),
    error => assert.fail(error as Error),
  );
  await tail.catchUp();
  return { steps, pictures: tail.pictures };
}

test('the log of a million steps stays within its budget and has the newest step', async context => {
  const folder = temporaryFolder(context);
  const log = openEventLog(folder);
  const steps = 1_000_000;
  // As often as a run of that length tells of itself, without its first half taking all.
  for (let step = 1; step < steps; step += 31) log.write(stepEvent(step, steps));
  log.close();
  assert.ok(bytesIn(folder) < logBudget.steps, `${bytesIn(folder)} bytes`);
  const read = await followed(folder);
  assert.equal(read.steps.at(-1), steps - 1 - ((steps - 2) % 31));
  const gaps = read.steps.map((step, index) => step - (read.steps[index - 1] ?? 0));
  assert.ok(read.steps.length > 1000 && Math.max(...gaps) < 1000, 'evenly spaced');
});

test('a short run has every step in its log', async context => {
  const folder = temporaryFolder(context);
  const log = openEventLog(folder);
  for (let step = 1; step <= 500; step++) log.write(stepEvent(step, 500));
  log.close();
  assert.equal((await followed(folder)).steps.length, 500);
  assert.ok(!existsSync(join(folder, runFiles.newest)));
});

for (const [count, side] of [
  [20, 64],
  [150, 64],
  [6000, 8],
] as const) {
  test(`pictures of ${count} operators stay within the budget, the last one as whole as it fits`, async context => {
    const folder = temporaryFolder(context);
    const log = openEventLog(folder);
    const matrices = operators(count, side);
    for (let step = 1; step <= 50; step++) {
      log.write(stepEvent(step, 50));
      if (count < 1000 || step < 5)
        log.write({ type: 'operators', step, operators: matrices, time: step });
    }
    assert.ok(bytesIn(folder) < most, `${bytesIn(folder)} bytes while it goes on`);
    assert.ok(existsSync(join(folder, runFiles.picture)));
    log.write({ type: 'operators', step: 50, operators: matrices, final: true, time: 101 });
    log.close();
    assert.ok(bytesIn(folder) < most, `${bytesIn(folder)} bytes`);
    assert.ok(!existsSync(join(folder, runFiles.picture)));
    const { pictures } = await followed(folder);
    const bytes = readFileSync(join(folder, runFiles.events));
    const last = parsePicture(bytes.subarray(pictures.at(-1)!.from, pictures.at(-1)!.to))!;
    assert.equal(last.step, 50);
    assert.equal(last.operators.length + (last.omitted ?? 0), count);
    if (count === 20) {
      assert.equal(last.operators[0]!.rows, 64);
      assert.deepEqual(
        Float32Array.from(last.operators[7]!.values),
        Float32Array.from(matrices[7]!.values),
      );
      assert.ok(pictures.length > 20, `${pictures.length} pictures`);
    }
  });
}

test('a run that is taken up again and again stays within its budget', context => {
  const folder = temporaryFolder(context);
  for (let sitting = 0; sitting < 40; sitting++) {
    const log = openEventLog(folder);
    for (let step = 1; step <= 1500; step++) log.write(stepEvent(step, 3000));
    log.close();
  }
  assert.ok(bytesIn(folder) < most, `${bytesIn(folder)} bytes`);
});

test('a packed matrix comes back but for the rounding, and NaN as NaN', () => {
  const values = [0, 1, -1, 0.123456, NaN, Infinity];
  const [matrix] = operators(1, 1);
  const packed = packMatrix({ ...matrix!, rows: 2, columns: 3, values });
  const back = unpackValues(packed)!;
  for (const [index, value] of values.entries()) {
    if (Number.isFinite(value)) assert.ok(Math.abs(back[index]! - value) < 2e-5);
    else assert.ok(Number.isNaN(back[index]!));
  }
  assert.equal(unpackValues({ ...packed, rows: 3 }), undefined);
  assert.equal(unpackValues({ ...packed, packed: packed.packed.slice(4) }), undefined);
});

test('a picture is made smaller only as far as it must be', () => {
  const matrices = operators(4, 64);
  assert.deepEqual(fitPicture(matrices, 1e9), { operators: matrices, omitted: 0 });
  for (const bytes of [60_000, 20_000, 3000, 700, 10]) {
    const { operators: fitting, omitted } = fitPicture(matrices, bytes);
    assert.ok(JSON.stringify(fitting).length <= bytes);
    assert.equal(fitting.length + omitted, 4);
  }
});
