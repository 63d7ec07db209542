import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadingCode } from '../../../src/host/commands/loadingCode';
import type { RecognizedModel } from '../../../src/protocol/service';

const model: RecognizedModel = {
  ...{ family: 'bert', modelClass: 'BertForMaskedLM', layers: 3, hidden: 64, heads: 4, ffn: 256 },
  ...{ parameters: 229_248, objective: 'masked-language-modeling', head: 'tied' },
  usualBatch: { size: 16 },
};

test('a text model is loaded with its tokenizer, an image model with its processor', () => {
  assert.equal(
    loadingCode('/m/grown', model),
    [
      'from transformers import AutoTokenizer, BertForMaskedLM',
      '',
      'model = BertForMaskedLM.from_pretrained("/m/grown")',
      'tokenizer = AutoTokenizer.from_pretrained("/m/grown")',
      '',
    ].join('\n'),
  );
  const vit = {
    ...model,
    modelClass: 'ViTForImageClassification',
    objective: 'image-classification',
  };
  assert.match(loadingCode('/m', vit), /processor = AutoImageProcessor\.from_pretrained/);
});

test('a path of Windows or with quotes is a Python string', () => {
  assert.match(loadingCode('C:\\m "1"', model), /from_pretrained\("C:\\\\m \\"1\\""\)/);
});
