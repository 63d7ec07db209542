import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { UserError } from '../../../src/errors';
import { comparisonReport } from '../../../src/protocol/comparisonSchemas';
import { growthReceipt } from '../../../src/protocol/receiptSchemas';
import { compare } from '../../../src/run/compare/compare';
import { comparisonPage } from '../../../src/report/page';
import { openRunStore } from '../../../src/run/compare/runStore';
import { grow } from '../../../src/run/grow/grow';
import { defaultTrainSettings } from '../../../src/run/settings';
import { summarizeCheckpoint } from '../../../src/worker/describe';
import { example } from '../../support/fixtures';
import { deepJson, mutate, numbers } from '../../support/hostile';
import { finishedRun } from './compareRuns';
import { bible, recorded, shortSettings, temporaryFolder } from './support';

const checkpoint = example('gpt2-kjv');
const target = { layers: 4 };
const json = (...path: string[]): unknown => JSON.parse(readFileSync(join(...path), 'utf8'));

/** Texts of a JSON file with one of its values changed, cut off, nested too deep or no text. */
function* hostile(content: unknown, count: number): Generator<Buffer> {
  for (let seed = 0; seed < count; seed++) {
    const draw = numbers(seed);
    const text = JSON.stringify(mutate(content, draw));
    const chance = draw();
    if (chance < 0.7) yield Buffer.from(text);
    else if (chance < 0.85) yield Buffer.from(text.slice(0, Math.floor(draw() * text.length)));
    else if (chance < 0.9) yield Buffer.from(deepJson);
    else if (chance < 0.95) yield Buffer.from(text.replace('{', `{"deep":${deepJson},`));
    else yield Buffer.from([0xff, 0xfe, 0x00, 0x0a]);
  }
}

describe('receipts of any shape', () => {
  const grown = join(temporaryFolder(), 'grown');
  before(async () => {
    await grow(recorded().context, {
      ...{ checkpoint, target, out: grown, method: 'stack', seed: 0, data: bible },
      settings: shortSettings(1),
    });
  });

  it('are a parent or none, and hide neither their checkpoint nor another', async () => {
    const receipt = json(grown, 'growth.json');
    const good = JSON.stringify(receipt);
    const other = join(temporaryFolder(), 'other');
    cpSync(grown, other, { recursive: true });
    let parents = 0;
    for (const bytes of hostile(receipt, 150)) {
      writeFileSync(join(other, 'growth.json'), bytes);
      const [bad, whole] = await Promise.all([other, grown].map(summarizeCheckpoint));
      assert.equal(bad!.model?.layers, 4);
      if (bad!.parent) parents++;
      assert.ok(!bad!.parent || typeof bad!.parent.path === 'string');
      assert.equal(whole!.parent?.layers, 3);
    }
    // Most changes are none of the parent's.
    assert.ok(parents > 50, String(parents));
    writeFileSync(join(other, 'growth.json'), good);
    assert.equal((await summarizeCheckpoint(other)).parent?.layers, 3);
  });

  it('pass their check or do not, and are never what pages cannot show', () => {
    const receipt = json(grown, 'growth.json');
    for (let seed = 0; seed < 2000; seed++) {
      const parsed = growthReceipt.safeParse(mutate(receipt, numbers(seed)));
      if (parsed.success) assert.ok(Number.isFinite(Date.parse(parsed.data.created)));
    }
  });

  it('that are folders, loops, pipes or devices are none', { timeout: 60_000 }, async () => {
    const other = join(temporaryFolder(), 'other');
    cpSync(grown, other, { recursive: true });
    const path = join(other, 'growth.json');
    const kinds: (() => void)[] = [
      () => mkdirSync(path),
      () => symlinkSync(path, path),
      () => symlinkSync('/nowhere/at/all', path),
    ];
    if (process.platform !== 'win32') {
      kinds.push(
        () => void execFileSync('mkfifo', [path]),
        () => symlinkSync('/dev/zero', path),
      );
    }
    for (const make of kinds) {
      rmSync(path, { recursive: true, force: true });
      make();
      const { model, parent } = await summarizeCheckpoint(other);
      assert.deepEqual([model?.layers, parent], [4, undefined]);
    }
  });
});

describe('reports of any shape', () => {
  const out = join(temporaryFolder(), 'compared');
  before(async () => {
    await compare(recorded().context, {
      ...{ checkpoint, target, out, data: bible, methods: ['stack'], seeds: [0] },
      ...{ growthSteps: 1, evaluateEvery: 1, keep: 'winner' },
      training: { ...defaultTrainSettings, steps: 2, warmup: 1 },
    });
  });

  it('pass their check or do not, and those that pass make a page that runs nothing', () => {
    const report = json(out, 'report.json');
    let pages = 0;
    for (let seed = 0; seed < 600; seed++) {
      const parsed = comparisonReport.safeParse(mutate(report, numbers(seed)));
      if (!parsed.success) continue;
      const page = comparisonPage(parsed.data);
      assert.doesNotMatch(page, /<script|<iframe|\son\w+=/i);
      for (const { folder } of parsed.data.models ?? []) assert.match(folder, /^[a-z0-9-]+$/);
      pages++;
    }
    assert.ok(pages > 50, String(pages));
  });

  it('do not end their check, however deep or torn they are', () => {
    for (const bytes of hostile(json(out, 'report.json'), 100)) {
      let content: unknown;
      try {
        content = JSON.parse(bytes.toString('utf8'));
      } catch {
        continue;
      }
      assert.doesNotThrow(() => comparisonReport.safeParse(content));
    }
  });

  it('as kept runs are read or said to be damaged, and hide none', async () => {
    const kept = join(temporaryFolder(), 'out');
    const store = openRunStore(kept, () => 'same');
    const [bad, good] = [
      finishedRun('stack', [
        [0, 6],
        [2, 5],
      ]),
      finishedRun('random', [
        [0, 7],
        [2, 6],
      ]),
    ];
    await store.write(bad);
    await store.write(good);
    const path = join(store.folder, 'stack-0.json');
    for (const bytes of hostile(json(path), 150)) {
      writeFileSync(path, bytes);
      await store.read(bad).catch((error: unknown) => assert.ok(error instanceof UserError));
      assert.deepEqual(await store.read(good), good);
    }
  });
});
