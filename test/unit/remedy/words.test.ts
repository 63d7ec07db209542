import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { UserError } from '../../../src/errors';
import * as actions from '../../../src/remedy/actions';
import { commandLine, flags } from '../../../src/remedy/commandLine';
import { editor, handoffHomes, homes, trainingHomes } from '../../../src/remedy/editor';
import {
  advise,
  inWords,
  together,
  type Action,
  type Option,
  type Remedy,
} from '../../../src/remedy/remedy';
import { worded } from '../../../src/remedy/worded';

const { by, leaveOut, lower, resume, set, setAll, shorten } = actions;
const options = Object.keys(flags) as Option[];

/** Every action, with every option that it may have. */
const examples: { readonly [D in Action['do']]: readonly Action<D>[] } = {
  set: options.flatMap(option => [
    { do: 'set', settings: [{ option }] },
    { do: 'set', settings: [{ option, to: 4 }, { option: 'engine' }] },
  ]),
  leaveOut: options.map(option => ({ do: 'leaveOut', option })),
  by: options.map(option => ({ do: 'by', settings: [{ option }] })),
  lower: [{ do: 'lower', cuts: ['batch', 'sequenceLength'] }],
  other: [
    { do: 'other', cut: 'batch', than: 'larger' },
    { do: 'other', cut: 'batch', than: 'smaller' },
    { do: 'other', cut: 'sequenceLength', than: 'larger' },
    { do: 'other', cut: 'sequenceLength', than: 'smaller' },
  ],
  shorten: [{ do: 'shorten', to: 32 }],
  install: [{ do: 'install', engine: 'cuda' }],
  resume: [{ do: 'resume' }, { do: 'resume', engine: 'cpu' }],
  repeat: [{ do: 'repeat' }],
  startAnew: [{ do: 'startAnew' }],
  compareAnew: [{ do: 'compareAnew' }],
  chooseOutput: [{ do: 'chooseOutput' }],
  chooseFile: [{ do: 'chooseFile' }],
  attendJob: [{ do: 'attendJob' }],
};
const all: readonly Action[] = Object.values(examples).flat();

const inBoth = (remedy: Remedy): readonly [string, string] => [
  inWords(remedy, commandLine),
  inWords(remedy, editor),
];

describe('an action', () => {
  it('has words in both faces, and none of the command line in the editor', () => {
    for (const action of all) {
      const [there, here] = inBoth([action]);
      assert.doesNotMatch(`${there} ${here}`, /undefined|\[object/);
      assert.ok(there.length > 3, JSON.stringify(action));
      assert.doesNotMatch(here, /--[a-z]|ligo doctor/);
      // What the wizard asks for needs no pointing at.
      const isAsked = action.do === 'by' && homes[action.settings[0]!.option].in === 'wizard';
      assert.equal(here === '', isAsked, JSON.stringify(action));
    }
  });

  it('begins with a capital where it begins a sentence, and only there', () => {
    const remedy = advise`${set('engine', 'cpu')}, or ${set('data')}. ${resume()} to go on.`;
    assert.deepEqual(inBoth(remedy), [
      'Give --engine cpu, or give --data. Run the same command with --resume to go on.',
      'Set ligo.engine to cpu, or choose data. Resume the run to go on.',
    ]);
  });

  it('says where the editor has an option, and that it has not', () => {
    const remedy = advise`Ask for more heads${by('heads', 'kvHeads')}, layers${by('layers')} or text${by('evalData')}.`;
    assert.deepEqual(inBoth(remedy), [
      'Ask for more heads (--heads, --kv-heads), layers (--layers) or text (--eval-data).',
      'Ask for more heads (Heads… and Key-Value Heads… under More…), layers or text (the option eval-data on the command line).',
    ]);
    assert.deepEqual(inBoth([leaveOut('lineSeparator')]), [
      'Leave --line-separator out',
      'Leave the option line-separator out',
    ]);
    assert.deepEqual(inBoth([set('precision', 'float32')]), [
      'Give --precision float32',
      'Under More…, set Mixed Precision to off',
    ]);
  });

  it('sets several options together by where the editor has them', () => {
    assert.deepEqual(inBoth([setAll(['recompute', 'shareFfn', ['accumulate', 8], ['batch', 1]])]), [
      'Give --recompute, --share-ffn, --accumulate 8 and --batch 1',
      'Under More…, set Recompute Activations, Share Feed-Forward Operators and Accumulate to 8, and set Batch to 1 in the plan',
    ]);
    assert.deepEqual(inBoth(advise`${lower('batch', 'sequenceLength')}, or ${shorten(32)}.`), [
      'Lower --batch or --sequence-length, or use sequences of at most 32 tokens (--sequence-length 32).',
      'Lower the batch or the length of sequences, or use sequences of at most 32 tokens (Sequence Length… in the plan).',
    ]);
  });
});

describe('the words of a face', () => {
  const textOf = (path: string): string => readFileSync(path, 'utf8');

  it('name options that the command line has', () => {
    const help = ['options', 'dataOptions', 'ligoOptions', 'commands/train', 'commands/grow']
      .concat('commands/compare', 'submission')
      .map(name => textOf(`src/cli/${name}.ts`))
      .join('\n');
    for (const flag of Object.values(flags)) {
      assert.match(help, new RegExp(`'${flag}( <[a-z]+>)?'`), flag);
    }
  });

  it('name what the editor has by the labels that it has there', () => {
    const places = {
      // What both lists of more options have stands in changeOptions.
      more: ['moreOptions', 'changeOptions']
        .map(name => textOf(`src/host/wizard/${name}.ts`))
        .join(''),
      plan: textOf('src/host/wizard/planPreview.ts'),
      settings: textOf('package.json'),
    };
    const titles = textOf('package.nls.json');
    assert.match(titles, /"command\.setUpGpuEngine": "Set Up GPU Engine"/);
    for (const option of options) {
      const home = homes[option];
      if (home.in === 'commandLine' || home.in === 'wizard') continue;
      const quote = home.in === 'settings' ? '"' : `'`;
      assert.match(
        places[home.in],
        new RegExp(`${quote}${home.label.replace('.', '\\.')}…?${quote}`),
        option,
      );
    }
    for (const option of options) {
      const home = trainingHomes[option];
      if (home === homes[option] || home.in === 'commandLine') continue;
      const training = { more: 'moreTraining', plan: 'training', settings: '', wizard: '' };
      const text = textOf(`src/host/wizard/${training[home.in]}.ts`);
      assert.ok(text.includes(`'${home.label}…'`), option);
    }
    const ofHandoff =
      textOf('src/host/wizard/handoffPlan.ts') + textOf('src/host/wizard/training.ts');
    for (const option of options) {
      const home = handoffHomes[option];
      if (home.in === 'plan') assert.ok(ofHandoff.includes(`'${home.label}…'`), option);
    }
    for (const option of ['heads', 'kvHeads', 'ffn', 'learningRate', 'batch', 'sequenceLength']) {
      const home = homes[option as Option];
      assert.ok(home.in === 'more' || home.in === 'plan');
      assert.ok(places[home.in].includes(`'${home.label}…'`), option);
    }
  });
});

describe('a remedy', () => {
  it('without actions is a plain string, also out of parts', () => {
    assert.equal(advise`Ask for ${3} of ${'them'}.`, 'Ask for 3 of them.');
  });

  it('may have others in it, which keep their actions', () => {
    const inner = advise`${set('engine', 'cpu')}.`;
    const outer = advise`Send it elsewhere. ${inner} Then ${resume()}.`;
    assert.equal(
      inWords(outer, editor),
      'Send it elsewhere. Set ligo.engine to cpu. Then resume the run.',
    );
  });

  it('is said once where several reasons have the same', () => {
    const twice = [advise`${set('data')}.`, 'Wait.', advise`${set('data')}.`];
    assert.equal(inWords(together(twice), editor), 'Choose data. Wait.');
  });

  it('of an error steers neither terminal nor page', () => {
    const name = 'a\u001b[2Jb';
    const { remedy } = new UserError('It is bad.', advise`Rename ${name}, or ${set('data')}.`);
    assert.equal(inWords(remedy, commandLine), 'Rename a\\u001b[2Jb, or give --data.');
  });

  it('is worded wherever it stands in an answer, and numbers stay as they are', () => {
    const values = Float32Array.of(1, 2);
    const refusals = [{ reason: 'It has 2.', remedy: advise`${set('data')}.` }];
    assert.deepEqual(worded({ growth: { refusals, none: undefined }, values }, editor), {
      growth: { refusals: [{ reason: 'It has 2.', remedy: 'Choose data.' }], none: undefined },
      values,
    });
  });
});
