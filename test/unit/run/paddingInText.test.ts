import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluateCheckpoint } from '../../../src/run/score/evaluate';
import { bible, editConfig, recorded, withTensors } from './support';

const renames: readonly (readonly [RegExp, string])[] = [
  [/^bert\./, 'roberta.'],
  [/^cls\.predictions\.transform\.dense\./, 'lm_head.dense.'],
  [/^cls\.predictions\.transform\.LayerNorm\./, 'lm_head.layer_norm.'],
  [/^cls\.predictions\.bias$/, 'lm_head.bias'],
];

/** The BERT example under RoBERTa's names, whose positions begin after the padding's id. */
async function asRoberta(padTokenId: number): Promise<string> {
  const folder = await withTensors('bert-kjv', tensors =>
    Object.fromEntries(
      [...tensors].flatMap(([name, tensor]) => {
        const renamed = renames.reduce((from, [old, other]) => from.replace(old, other), name);
        return [
          [name, undefined],
          [renamed, tensor],
        ] as const;
      }),
    ),
  );
  return editConfig(folder, {
    ...{ model_type: 'roberta', architectures: ['RobertaForMaskedLM'], pad_token_id: padTokenId },
  });
}

const score = (checkpoint: string) =>
  evaluateCheckpoint(recorded().context, { checkpoint, data: { ...bible, sequenceLength: 32 } });

// The losses are transformers 5.18's on the same batches.
for (const [what, padTokenId, expected] of [
  ['a comma', 9, 4.34405],
  ['[CLS]', 2, 4.0495],
] as const) {
  test(`where ${what} has the padding's id, RoBERTa counts positions as transformers does, and says so`, async () => {
    const { loss, notes } = await score(await asRoberta(padTokenId));
    assert.ok(Math.abs(loss - expected) < 1e-4, `${loss} is ${expected}`);
    assert.match(notes[0]!.message, /takes no position of its own, as in transformers/);
  });
}

test('nothing is said where the tokenizer pads with what config.json says', async () => {
  assert.deepEqual((await score(await asRoberta(0))).notes, []);
});
