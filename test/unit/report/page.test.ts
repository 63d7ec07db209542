import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { ComparisonReport, ComparisonRun, Spread } from '../../../src/protocol/comparison';
import { comparisonPage } from '../../../src/report/page';
import { rangeText, shareText } from '../../../src/report/quantities';
import { quantile, spreadApart, ticks } from '../../../src/report/scales';
import { gotSameBatches, notesOn, summarizeMethods } from '../../../src/run/compare/report';
import { finishedRun } from '../run/compareRuns';
import { commandLine } from '../../../src/remedy/commandLine';
import { worded } from '../../../src/remedy/worded';

const model = {
  ...{ family: 'gpt2', modelClass: 'GPT2LMHeadModel', layers: 3, hidden: 64, heads: 4 },
  ...{ ffn: 256, parameters: 223_808 },
};

/** A report made by hand around some runs. */
function reportOf(runs: readonly ComparisonRun[], changes: Partial<ComparisonReport> = {}) {
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  const methods = summarizeMethods(runs);
  const sameBatches = gotSameBatches(runs.filter(run => run.state === 'finished'));
  const report: ComparisonReport = {
    ...{ version: 1, software: { name: 'ligo-grow', version: '0.0.0' } },
    ...{ created: '2026-01-01T00:00:00.000Z', command: 'ligo compare small --layers 6' },
    source: { ...model, path: 'models/<b>small</b>', sha256: 'a'.repeat(64) },
    target: { ...model, layers: 6, hidden: 96 },
    data: {
      ...{ path: 'kjv.txt', sha256: 'b'.repeat(64), heldOut: 'the last 5 %', unit: 'tokens' },
      ...{ batchSize: 16, sequenceLength: 64, evaluationBatches: 8 },
    },
    settings: {
      ...{ steps: 400, evaluateEvery: 200, seeds },
      ...{ training: { learningRate: 1e-3 }, growth: { ligo: { steps: 100 } } },
    },
    machine: {
      ...{ engine: { name: 'cpu', device: 'CPU, 2 threads' }, processor: 'A processor' },
      ...{ cores: 2, parallel: 1 },
    },
    flopsPerStep: { exact: 10, paper: 5 },
    small: { loss: 3.5, accuracy: 0.3, perplexity: 33, batches: 8 },
    runs,
    ...{ methods, sameBatches },
    notes: worded<ComparisonReport['notes']>(
      notesOn(methods, { small: 3.5, sameBatches }),
      commandLine,
    ),
    ...changes,
  };
  return report;
}

const scratch = (seed: number) =>
  finishedRun(
    'random',
    [
      [0, 7],
      [200, 4],
      [400, 3.4],
    ],
    { seed },
  );
const ligo = (seed: number, end: number) =>
  finishedRun(
    'ligo',
    [
      [0, 3.8],
      [200, end],
      [400, end - 0.1],
    ],
    { seed, growth: { flops: 400, paperFlops: 300, seconds: 9 } },
  );
const refused: ComparisonRun = {
  ...{ state: 'failed', method: 'mslt', seed: 0 },
  ...{ message: 'It makes <4> layers.', remedy: 'Choose another.' },
};
/** The page with every run of white space as one space, as it is shown. */
const shown = (report: ComparisonReport): string => comparisonPage(report).replace(/\s+/g, ' ');
const page = shown(reportOf([scratch(0), ligo(0, 3.3), scratch(1), ligo(1, 3.2), refused]));

describe('the page of a comparison', () => {
  it('needs nothing from anywhere, and no script', () => {
    // Addresses are only those of sources, which are followed on a click.
    const addresses = [...page.matchAll(/[a-z]+:\/\/[^\s"'<)]*/gi)].map(([address]) => address);
    assert.ok(addresses.length > 0);
    for (const address of addresses) {
      assert.match(address, /^https:\/\/arxiv\.org\/abs\/\d{4}\.\d{4,5}$/);
      assert.ok(page.includes(`<a href="${address}"`));
    }
    assert.doesNotMatch(page, /<(script|link|img|iframe|object|embed|base|form)\b/i);
    assert.doesNotMatch(page, /@import|url\((?!#)/);
    assert.doesNotMatch(page, /\son\w+=|\sstyle=/i);
  });

  it('allows by its policy the one style that it holds, and nothing else', () => {
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)![1]!;
    const bytes = comparisonPage(reportOf([scratch(0)]));
    const style = /<style>([\s\S]*?)<\/style>/.exec(bytes)![1]!;
    const hash = createHash('sha256').update(style).digest('base64');
    assert.equal(
      policy,
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    );
    assert.ok(page.indexOf('Content-Security-Policy') < page.indexOf('<style>'));
  });

  it('shows names as they are, not as markup', () => {
    assert.ok(page.includes('models/&lt;b&gt;small&lt;/b&gt;'));
    assert.ok(page.includes('It makes &lt;4&gt; layers.'));
    assert.doesNotMatch(page, /<b>|<4>/);
  });

  it('closes every element that it opens', () => {
    const open: string[] = [];
    const empty = new Set(['meta', 'path', 'rect', '!doctype']);
    const body = page.replace(/<style>[\s\S]*?<\/style>/, '');
    for (const [, end, name, selfClosed] of body.matchAll(/<(\/?)([!a-z][\w]*)[^>]*?(\/?)>/gi)) {
      if (end) assert.equal(open.pop(), name);
      else if (!selfClosed && !empty.has(name!.toLowerCase())) open.push(name!);
    }
    assert.deepEqual(open, []);
  });

  it('gives ids once, and refers to none that is not there', () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id!);
    assert.equal(new Set(ids).size, ids.length);
    const named = [...page.matchAll(/aria-labelledby="([^"]+)"/g)].flatMap(([, list]) =>
      list!.split(' '),
    );
    const clips = [...page.matchAll(/url\(#([^)]+)\)/g)].map(([, id]) => id!);
    assert.ok(named.length > 0 && clips.length === 2);
    for (const id of [...named, ...clips]) assert.ok(ids.includes(id), id);
  });

  it('says in words what the pictures show', () => {
    const text = /<desc id="flops-text">([^<]*)<\/desc>/.exec(page)![1]!;
    assert.match(text, /LiGO falls from 3\.800 to 3\.150\./);
    assert.match(text, /small model: 3\.500\. scratch ends: 3\.400\./);
    assert.match(page, /<th scope="row">200<\/th> ?<td>4\.000<\/td> ?<td>3\.250<\/td>/);
  });

  it('counts losses in nats, and in squared errors where the model predicts numbers', () => {
    const [runs, kept] = [[scratch(0), ligo(0, 3.3)], { method: 'ligo', seed: 0, loss: 3.2 }];
    const small = { loss: 3.5, batches: 8 };
    const numbers = shown(reportOf(runs, { small, models: [{ ...kept, folder: 'ligo' }] }));
    assert.match(page, /Held-out loss in nats against/);
    assert.match(page, />held-out loss, nats</);
    assert.match(numbers, /Held-out loss in mean squared error, mean over seeds/);
    assert.match(numbers, />held-out loss, mean squared error</);
    assert.doesNotMatch(numbers, /\bnats\b/);
    assert.match(numbers, /<code>ligo<\/code>: LiGO, seed 0/);
  });

  it('tells the saving with its range, and what failed', () => {
    const { methods } = reportOf([scratch(0), ligo(0, 3.3), scratch(1), ligo(1, 3.2)]);
    const { flops } = methods[0]!.savings!;
    const words = `<strong>${shareText(flops.mean)}</strong> less compute (${rangeText(flops, shareText)} over seeds)`;
    assert.ok(page.includes(words), words);
    assert.match(page, /<td class="failed" colspan="3">failed: It makes/);
    assert.match(page, /Multi-stage layerwise \(MSLT\), seed 0, failed\./);
  });

  it('draws each method in a way of its own', () => {
    const looks = [...page.matchAll(/<g class="curve ([\w -]+)">/g)].map(([, look]) => look);
    assert.deepEqual(looks.slice(0, 2), ['look-scratch', 'color-0 dash-0']);
    // In both charts only LiGO has a band: its seeds differ, those of training from scratch do not.
    const bands = [...page.matchAll(/class="range ([\w -]+)"/g)].map(([, look]) => look);
    assert.deepEqual(bands, ['color-0 dash-0', 'color-0 dash-0']);
  });

  it('says so when a method never got there', () => {
    const stuck = finishedRun('stack', [
      [0, 5],
      [200, 4.2],
      [400, 3.9],
    ]);
    const told = shown(reportOf([scratch(0), stuck]));
    assert.match(
      told,
      /No method reached the final loss of training from scratch within 400 steps/,
    );
    assert.match(told, /<td class="never" colspan="3">never within 400 steps<\/td>/);
  });

  it('says of a method that only some seeds get there with how many did', () => {
    const told = shown(reportOf([scratch(0), ligo(0, 3.3), scratch(1), ligo(1, 3.6)]));
    assert.match(told, /<td class="never" colspan="3">only 1 of 2 seeds within 400 steps<\/td>/);
    assert.match(told, /No method reached [^.]* within 400 steps with every seed\./);
  });

  it('says so when nothing but training from scratch was made, or finished', () => {
    const verdict = (runs: readonly ComparisonRun[]): string | undefined =>
      /<p class="verdict warning">([^<]*)<\/p>/.exec(shown(reportOf(runs)))?.[1];
    assert.equal(verdict([scratch(0)]), 'Only training from scratch was made.');
    assert.equal(verdict([scratch(0), refused]), 'Only training from scratch finished.');
  });

  it('says of a growth below the end of training from scratch that it starts there', () => {
    const below = (seed: number, flops: number) =>
      finishedRun(
        'stack',
        [
          [0, 3.3],
          [200, 3.2],
          [400, 3.1],
        ],
        { seed, growth: { flops, paperFlops: flops, seconds: 1 } },
      );
    const free = shown(reportOf([scratch(0), below(0, 0)]));
    assert.match(free, /starts below the final loss [^.]* before any training of its own\. <\/p>/);
    assert.match(free, /<td class="best">100\.0 %<small>starts below it<\/small><\/td>/);
    const learned = shown(reportOf([scratch(0), below(0, 400)]));
    assert.match(learned, /its own: its growth alone takes <strong>90\.0 %<\/strong> less compute/);
    const later = { ...scratch(1), method: 'stack' };
    const some = shown(reportOf([scratch(0), below(0, 400), scratch(1), later]));
    assert.match(some, /reaches the final loss of training from scratch with/);
    assert.match(some, /<small>1 of 2 seeds start below it<\/small>/);
    assert.doesNotMatch(page, /start below|starts below/);
  });

  it('warns when methods were given other batches', () => {
    const other = { ...ligo(0, 3.3), fed: { training: 'others', evaluation: 'held out' } };
    const told = shown(reportOf([scratch(0), other]));
    assert.match(told, /not given the same batches\. Do not compare them/);
    assert.doesNotMatch(page, /not given the same batches/);
  });

  it('warns when training from scratch ended above the small model', () => {
    const short = finishedRun('random', [
      [0, 7],
      [400, 3.6],
    ]);
    assert.match(
      shown(reportOf([short])),
      /ended at a loss of 3\.600, above the small model’s 3\.500/,
    );
    assert.doesNotMatch(page, /above the small model/);
  });

  it('is whole when training from scratch failed, and when everything did', () => {
    const failed = (method: string): ComparisonRun => ({ ...refused, method });
    const some = shown(reportOf([failed('random'), ligo(0, 3.3)]));
    assert.match(some, /Training from scratch did not finish, so no saving can be told/);
    assert.match(some, /nothing to compare with/);
    const none = shown(reportOf([failed('random'), failed('ligo')]));
    assert.doesNotMatch(none, /class="chart"|NaN|undefined|Infinity/);
    assert.doesNotMatch(`${some}${page}`, /NaN|undefined|Infinity/);
  });

  it('counts the small model’s training in a column of its own, where that is known', () => {
    const runs = [scratch(0), ligo(0, 3.3)];
    const smallTraining = { steps: 1000, flops: 400, from: 'the options' };
    const methods = summarizeMethods(runs, smallTraining.flops);
    const told = shown(reportOf(runs, { smallTraining, methods }));
    assert.match(told, /small model counted<\/th>/);
    assert.match(told, /1,000 steps, 400 FLOP, by the options/);
    assert.doesNotMatch(page, /small model counted/);
  });
});

describe('the parts of a chart', () => {
  it('has round ticks inside its range', () => {
    assert.deepEqual(ticks(0, 2.5, 6), [0, 0.5, 1, 1.5, 2, 2.5]);
    assert.deepEqual(ticks(3.13, 3.48, 6), [3.2, 3.3, 3.4]);
    assert.deepEqual(ticks(1, 1, 6), [1]);
  });

  it('moves labels apart no more than it must, in their order, between the ends', () => {
    assert.deepEqual(spreadApart([50, 10, 90], 20, [0, 100]), [50, 10, 90]);
    assert.deepEqual(spreadApart([50, 52, 51], 20, [0, 100]), [50, 90, 70]);
    assert.deepEqual(spreadApart([95, 96, 97], 20, [0, 100]), [60, 80, 100]);
  });

  it('finds the value that a share lies below', () => {
    assert.equal(quantile([4, 1, 3, 2], 0.5), 3);
    assert.equal(quantile([7], 1), 7);
  });

  it('writes a range with its unit once', () => {
    const spread: Spread = { mean: 0.5, least: 0.25, most: 0.75 };
    assert.equal(rangeText(spread, shareText), '25.0 to 75.0 %');
    assert.equal(rangeText({ mean: 1, least: 1, most: 1 }, shareText), undefined);
    assert.equal(shareText(-0.5), '−50.0 %');
  });
});
