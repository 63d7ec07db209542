import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CorruptFileError, UnsupportedError, UserError } from '../../../src/errors';
import type { Receipt } from '../../../src/protocol/events';
import { compare } from '../../../src/run/compare/compare';
import type { DataOptions } from '../../../src/run/open/openData';
import { evaluateCheckpoint } from '../../../src/run/score/evaluate';
import { grow } from '../../../src/run/grow/grow';
import { defaultTrainSettings, type TrainSettings } from '../../../src/run/settings';
import { train } from '../../../src/run/train/train';
import { assertClose } from '../../support/close';
import {
  bertClassifier,
  bible,
  copyOf,
  editConfig,
  failure,
  labelledVerses,
  randomTensor,
  recorded,
  shortSettings,
  temporaryFolder,
  withTensors,
} from './support';
import { remedyText } from '../../support/remedyText';

const names = ['verse', 'title', 'note'];
const data = (path: string): DataOptions => ({
  ...{ data: path, batchSize: 8, sequenceLength: 24, evaluationBatches: 2, seed: 0 },
});
const ofClasses = data(labelledVerses(60, index => (index % 2 ? names[index % 3] : index % 3)));
const out = (): string => join(temporaryFolder(), 'out');
const settings: TrainSettings = { ...defaultTrainSettings, steps: 8, warmup: 1 };
const trainOn = (checkpoint: string, options: DataOptions, changes: Partial<TrainSettings> = {}) =>
  train(recorded().context, {
    ...{ checkpoint, data: options, out: out(), seed: 0, settings: { ...settings, ...changes } },
  });
const evaluate = (checkpoint: string, options: DataOptions) =>
  evaluateCheckpoint(recorded().context, { checkpoint, data: options });

/** Grows by LiGO, with the folder that was written. */
async function grown(checkpoint: string, options: DataOptions) {
  const folder = out();
  const { context, events } = recorded();
  const receipt: Receipt = await grow(context, {
    ...{ checkpoint, out: folder, method: 'ligo', seed: 0, settings: shortSettings(2) },
    ...{ target: { layers: 4, hidden: 128, heads: 8 }, data: options },
  });
  return { folder, receipt, events, card: readFileSync(join(folder, 'README.md'), 'utf8') };
}

describe('a classifier with labelled texts', () => {
  it('is evaluated by its labels, and says what it learns and from what', async () => {
    const result = await evaluate(await bertClassifier(), ofClasses);
    assert.ok(Number.isFinite(result.loss));
    assert.ok(result.accuracy! >= 0 && result.accuracy! <= 1);
    assert.equal(result.perplexity, undefined);
    // Three classes that are as frequent.
    assertClose([result.frequencies], [Math.log(3)], 0.2);
    const said = result.notes.map(({ message }) => message).join('\n');
    assert.match(said, /learned is sequence classification \(one of 3 classes a text, by cross-e/);
    assert.match(
      said,
      /verses\.jsonl is read as labelled texts: "text" with "label" of 60 records/,
    );
    assert.match(said, /Only 3 labelled texts are held out/);
  });

  it('learns them: pooler and classifier change with the rest', async () => {
    const checkpoint = await bertClassifier();
    const receipt = await trainOn(checkpoint, { ...ofClasses, evaluationData: ofClasses.data });
    assert.match(receipt.objective, /^sequence classification/);
    assert.ok(receipt.after.loss < receipt.before.loss, JSON.stringify(receipt.after));
    assert.ok(receipt.warnings.some(warning => /What is learned is sequence/.test(warning)));
  });

  it('grows by operators that are learned on them', async () => {
    const { receipt, folder, events, card } = await grown(await bertClassifier(), ofClasses);
    assert.equal(receipt.target.modelClass, 'BertForSequenceClassification');
    assert.match(receipt.source.learns!, /^sequence classification \(one of 3/);
    const plan = events.find(event => event.type === 'plan');
    assert.match(plan!.plan.source.learns!, /^sequence classification/);
    const { after } = receipt.losses!;
    // The receipt's loss is that of the file, to the rounding of another form of it.
    const { loss, accuracy } = await evaluate(folder, ofClasses);
    assertClose([loss], [after.loss], 1e-5 * after.loss, 'loss');
    assert.equal(accuracy, after.accuracy);
    assert.match(card, /measured on is sequence classification/);
    assert.match(card, /held-out loss \| accuracy/);
  });

  it('is compared by them', async () => {
    const report = await compare(recorded().context, {
      ...{ checkpoint: await bertClassifier(), target: { hidden: 128, heads: 8 }, out: out() },
      ...{ methods: ['random', 'net2net'], seeds: [0], training: { ...settings, steps: 2 } },
      ...{ data: ofClasses, growthSteps: 2, evaluateEvery: 2 },
    });
    assert.equal(report.data.unit, 'texts');
    assert.ok(report.runs.every(({ state }) => state === 'finished'));
  });
});

describe('other labels', () => {
  it('of several classes are learned by binary cross-entropy', async () => {
    const checkpoint = await bertClassifier({ problem_type: 'multi_label_classification' });
    const several = data(labelledVerses(40, index => names.slice(index % 3)));
    const { receipt } = await grown(checkpoint, several);
    assert.match(receipt.source.learns!, /any of 3 classes a text, by binary cross-entropy/);
    assert.ok(receipt.losses!.after.accuracy! <= 1);
    // What every text has, and every second and third: chances that are known give less than ln 2.
    assert.ok(receipt.losses!.frequencies < Math.LN2);
  });

  it('that are numbers have a squared error and no accuracy', async () => {
    const checkpoint = await bertClassifier({}, 1);
    const numbers = data(labelledVerses(40, index => index / 40));
    const { receipt, card, folder } = await grown(checkpoint, numbers);
    assert.match(receipt.source.learns!, /regression: a number a text, by mean squared error/);
    assert.equal(receipt.losses!.after.accuracy, undefined);
    assert.equal(receipt.parity!.agreement, undefined);
    assert.match(card, /held-out mean squared error/);
    const { loss } = receipt.losses!.after;
    assertClose([(await evaluate(folder, numbers)).loss], [loss], 1e-5 * loss, 'loss');
    const trained = await trainOn(checkpoint, numbers);
    assert.equal(trained.after.accuracy, undefined);
  });

  it('of words are learned by a classifier of tokens', async () => {
    const source = copyOf(await bertClassifier());
    const folder = editConfig(source, { architectures: ['BertForTokenClassification'] });
    const file = join(temporaryFolder(), 'words.jsonl');
    const record = { tokens: ['In', 'the', 'beginning'], labels: [0, 'title', 2] };
    writeFileSync(file, `${JSON.stringify(record)}\n`.repeat(20));
    const { receipt } = await grown(folder, data(file));
    assert.match(receipt.source.learns!, /^token classification \(one of 3 classes a word/);
    assert.ok(Number.isFinite(receipt.losses!.after.loss));
  });

  it('are learned by a GPT-2 from its last token', async () => {
    const folder = await withTensors('gpt2-kjv', () => ({ 'score.weight': randomTensor(3, 64) }));
    const changes = { architectures: ['GPT2ForSequenceClassification'], id2label: { ...names } };
    editConfig(folder, { ...changes, pad_token_id: null });
    await failure(evaluate(folder, ofClasses), UnsupportedError, /no pad_token_id/);
    editConfig(folder, { ...changes, pad_token_id: 0 });
    const { receipt } = await grown(folder, ofClasses);
    assert.match(receipt.source.learns!, /^sequence classification/);
    assert.ok(Number.isFinite(receipt.losses!.after.loss));
  });
});

describe('a classifier is refused', () => {
  it('text without labels', async () => {
    const checkpoint = await bertClassifier();
    const runs = [evaluate, trainOn, grown];
    for (const run of runs) {
      await failure(
        run(checkpoint, bible),
        UnsupportedError,
        /no JSON lines.*BertForSequenceClassification learns/,
      );
    }
  });

  it('labels of another kind than config.json says', async () => {
    const lists = data(labelledVerses(10, () => [0, 1, 0]));
    const { remedy } = await failure(
      evaluate(await bertClassifier(), lists),
      UserError,
      /verses\.jsonl, line 1: has a list in "label"/,
    );
    assert.match(remedyText(remedy), /"multi_label_classification"/);
  });

  it('what would leave a part of it out', async () => {
    const checkpoint = await bertClassifier();
    for (const changes of [{ tokenDrop: 0.2 }, { layerDrop: 0.2 }, { subNetwork: { steps: 2 } }]) {
      await failure(trainOn(checkpoint, ofClasses, changes), UnsupportedError, /as a whole/);
    }
  });

  it('a problem_type or a number of classes that means nothing', async () => {
    const unknown = await bertClassifier({ problem_type: 'ranking' });
    await failure(evaluate(unknown, ofClasses), CorruptFileError, /problem_type is "ranking"/);
    const single = await bertClassifier({ problem_type: 'single_label_classification' }, 1);
    await failure(evaluate(single, ofClasses), UnsupportedError, /classifier of one class/);
  });

  it('texts that its tokenizer pads at their beginning', async () => {
    const folder = copyOf(await bertClassifier());
    const file = join(folder, 'tokenizer_config.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as object;
    writeFileSync(file, JSON.stringify({ ...config, padding_side: 'left' }));
    await failure(evaluate(folder, ofClasses), UnsupportedError, /padding_side to "left"/);
  });
});
