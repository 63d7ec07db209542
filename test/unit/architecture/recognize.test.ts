import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  recognizeArchitecture,
  spaceName,
  twinTensors,
  type Recognition,
} from '../../../src/architecture';
import {
  fixtureNames,
  isDecoder,
  officialGrown,
  readConfig,
  readFixture,
  readModel,
  shapesOf,
  type FamilyName,
} from './fixtures';

type Shapes = Map<string, { shape: readonly number[] }>;

const shapes = (family: FamilyName): Shapes => shapesOf(readModel(family));

/** The same tensors under other names; a rename to undefined drops the tensor. */
const renamed = (from: Shapes, rename: (name: string) => string | undefined): Shapes =>
  new Map(
    [...from].flatMap(([name, info]) => {
      const to = rename(name);
      return to === undefined ? [] : [[to, info] as const];
    }),
  );

const ids = ({ architecture }: Recognition): string[] => architecture.parameters.map(p => p.id);
const parameter = ({ architecture }: Recognition, id: string) => {
  const found = architecture.parameters.find(candidate => candidate.id === id);
  assert.ok(found, `${id} is declared`);
  return found;
};
const reason = ({ ignored }: Recognition, name: string): string | undefined =>
  ignored.find(entry => entry.name === name)?.reason;

const expectedClasses: Record<FamilyName, string> = {
  bert: 'BertForMaskedLM',
  roberta: 'RobertaForMaskedLM',
  gpt2: 'GPT2LMHeadModel',
  vit: 'ViTForImageClassification',
  deit: 'DeiTForImageClassificationWithTeacher',
  llama: 'LlamaForCausalLM',
  granite: 'GraniteForCausalLM',
  llama3: 'LlamaForCausalLM',
  mistral: 'MistralForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
  phi3: 'Phi3ForCausalLM',
  starcoder2: 'Starcoder2ForCausalLM',
  smollm3: 'SmolLM3ForCausalLM',
  gpt_neox: 'GPTNeoXForCausalLM',
  gemma: 'GemmaForCausalLM',
  gemma2: 'Gemma2ForCausalLM',
  gemma3: 'Gemma3ForCausalLM',
  olmo2: 'Olmo2ForCausalLM',
  distilbert: 'DistilBertForMaskedLM',
  electra: 'ElectraForMaskedLM',
  opt: 'OPTForCausalLM',
  modernbert: 'ModernBertForMaskedLM',
  'timm-vit': 'VisionTransformer',
  'timm-vit-registers': 'VisionTransformer',
  'timm-cait': 'Cait',
  dinov2: 'Dinov2ForImageClassification',
};

const modelTypeOf = (family: FamilyName): string =>
  ({ llama3: 'llama', gemma3: 'gemma3_text', 'timm-vit-registers': 'timm-vit' })[
    family as string
  ] ?? family;

for (const family of fixtureNames) {
  test(`the ${family} fixture is recognised whole`, () => {
    const { recognition, tensors, config } = readFixture(family);
    const { architecture, names, ignored } = recognition;
    assert.equal(architecture.family, modelTypeOf(family));
    assert.equal(architecture.modelClass, expectedClasses[family]);
    assert.deepEqual(architecture.config, config);
    assert.deepEqual([...names.keys()].sort(), [...tensors.keys()].sort());
    assert.ok([...names].every(([written, name]) => written === name));
    assert.deepEqual(ignored, []);
    assert.equal(new Set(ids(recognition)).size, architecture.parameters.length);
  });

  test(`every parameter of ${family} is as large as its spaces`, () => {
    const { architecture } = readFixture(family).recognition;
    for (const { spaces, shape, kind, layer, part, id } of architecture.parameters) {
      assert.deepEqual(
        shape,
        spaces.map(({ role, spread }) => architecture.spaceSizes.get(role)! * (spread?.times ?? 1)),
      );
      assert.equal(id.endsWith(`.${part}`), true);
      assert.equal(id.startsWith('layers.') ? `layers.${layer}.${kind}.${part}` : id, id);
    }
  });

  test(`the spaces of ${family}'s layers follow the paper`, () => {
    const { recognition } = readFixture(family);
    const spaces = Object.fromEntries(
      recognition.architecture.parameters
        .filter(({ layer }) => layer === 2)
        .map(({ kind, part, spaces: axes }) => [`${kind}.${part}`, axes.map(spaceName).join(' ')]),
    );
    const expected = {
      'q.weight': 'query.2 residual',
      'q.bias': 'query.2',
      'k.weight': 'key.2 residual',
      'k.bias': 'key.2',
      'v.weight': 'value.2 residual',
      'v.bias': 'value.2',
      'o.weight': 'residual value.2',
      'o.bias': 'residual',
      'ln1.weight': 'residual',
      'ln1.bias': 'residual',
      'fc1.weight': 'ffn.2 residual',
      'fc1.bias': 'ffn.2',
      'fc2.weight': 'residual ffn.2',
      'fc2.bias': 'residual',
      'ln2.weight': 'residual',
      'ln2.bias': 'residual',
    };
    const isGated =
      (isDecoder(family) || family === 'modernbert') && !/starcoder2|gpt_neox/.test(family);
    const isScaled = /^(dinov2|timm-vit-registers|timm-cait)$/.test(family);
    const scales = { 'scale1.weight': 'residual', 'scale2.weight': 'residual' };
    const mixings = {
      'mixScores.weight': 'attentionHead.2 attentionHead.2',
      'mixScores.bias': 'attentionHead.2',
      'mixWeights.weight': 'attentionHead.2 attentionHead.2',
      'mixWeights.bias': 'attentionHead.2',
    };
    const talks = family === 'timm-cait' && mixings;
    const plain = { ...expected, ...(isScaled && scales), ...talks };
    if (!isGated) return assert.deepEqual(spaces, plain);
    const { 'q.bias': q, 'k.bias': k, 'v.bias': v, ...others } = expected;
    const withoutBiases = Object.entries(others).filter(([name]) => !name.endsWith('.bias'));
    const headNorm = 'headDim';
    const ofStream = withoutBiases.filter(([name]) => family !== 'olmo2' || !name.startsWith('ln'));
    const hasOutputNorms = /^(gemma[23]|olmo2)$/.test(family);
    const normsEachHead = /^(qwen3|gemma3)$/.test(family);
    assert.deepEqual(spaces, {
      ...Object.fromEntries(ofStream),
      ...(hasOutputNorms && { 'ln1Out.weight': 'residual', 'ln2Out.weight': 'residual' }),
      // One head of keys and values is there for all heads, whose outputs o reads.
      ...(family === 'gemma' && { 'o.weight': 'residual query.2' }),
      ...(family === 'olmo2' && { 'qNorm.weight': 'query.2', 'kNorm.weight': 'key.2' }),
      'gate.weight': 'ffn.2 residual',
      ...(family === 'qwen2' && { 'q.bias': q, 'k.bias': k, 'v.bias': v }),
      ...(normsEachHead && { 'qNorm.weight': headNorm, 'kNorm.weight': headNorm }),
    });
  });

  test(`${family} is known by its class or its tensors when config.json has no model_type`, () => {
    const config = { ...readConfig(family), model_type: undefined };
    const tensors = shapes(family);
    const modelType = modelTypeOf(family);
    assert.equal(recognizeArchitecture(config, tensors).architecture.family, modelType);
    const nameless = { ...config, architectures: undefined };
    // Tensors of one decoder are called as those of any other.
    if (isDecoder(family) || /^(opt|modernbert)$/.test(family))
      assert.throws(() => recognizeArchitecture(nameless, tensors), /supported/);
    else assert.equal(recognizeArchitecture(nameless, tensors).architecture.family, modelType);
  });
}

test('the norm before attention is ln1 and the norm before the FFN is ln2 in pre-norm models', () => {
  assert.equal(
    parameter(readFixture('vit').recognition, 'layers.0.ln1.weight').stored.tensor,
    'vit.encoder.layer.0.layernorm_before.weight',
  );
  assert.equal(
    parameter(readFixture('gpt2').recognition, 'layers.0.ln2.weight').stored.tensor,
    'transformer.h.0.ln_2.weight',
  );
});

test('norms named gamma and beta are read so and written as weight and bias', () => {
  const old = renamed(shapes('bert'), name =>
    name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta'),
  );
  const { names, ignored } = recognizeArchitecture(readConfig('bert'), old);
  assert.equal(names.get('bert.embeddings.LayerNorm.weight'), 'bert.embeddings.LayerNorm.gamma');
  assert.equal(
    names.get('cls.predictions.transform.LayerNorm.bias'),
    'cls.predictions.transform.LayerNorm.beta',
  );
  assert.deepEqual(ignored, []);
});

test('a norm that is there under both names is read under the new one', () => {
  const both = shapes('bert');
  both.set('bert.embeddings.LayerNorm.gamma', { shape: [64] });
  const recognition = recognizeArchitecture(readConfig('bert'), both);
  assert.equal(
    recognition.names.get('bert.embeddings.LayerNorm.weight'),
    'bert.embeddings.LayerNorm.weight',
  );
  assert.match(reason(recognition, 'bert.embeddings.LayerNorm.gamma')!, /new name as well/);
});

test('a bare encoder stays bare, keeps its pooler and has no head', () => {
  const bare = renamed(shapes('bert'), name =>
    name.startsWith('bert.') ? name.slice('bert.'.length) : undefined,
  );
  bare.set('pooler.dense.weight', { shape: [64, 64] });
  bare.set('pooler.dense.bias', { shape: [64] });
  bare.set('embeddings.position_ids', { shape: [1, 64] });
  const config = { ...readConfig('bert'), architectures: ['BertModel'] };
  const recognition = recognizeArchitecture(config, bare);
  const { architecture } = recognition;
  assert.equal(architecture.head, 'none');
  assert.equal(architecture.modelClass, 'BertModel');
  assert.equal(
    parameter(recognition, 'embeddings.word.weight').stored.tensor,
    'embeddings.word_embeddings.weight',
  );
  const pooler = parameter(recognition, 'pooler.weight');
  assert.equal(pooler.used, false);
  assert.deepEqual(pooler.spaces, [{ role: 'residual' }, { role: 'residual' }]);
  assert.match(reason(recognition, 'embeddings.position_ids')!, /buffer/);
});

test('a pretraining checkpoint keeps its next-sentence classifier without reading it', () => {
  const tensors = shapes('bert');
  tensors.set('bert.pooler.dense.weight', { shape: [64, 64] });
  tensors.set('bert.pooler.dense.bias', { shape: [64] });
  tensors.set('cls.seq_relationship.weight', { shape: [2, 64] });
  tensors.set('cls.seq_relationship.bias', { shape: [2] });
  const recognition = recognizeArchitecture(readConfig('bert'), tensors);
  assert.equal(recognition.architecture.modelClass, 'BertForPreTraining');
  assert.deepEqual(recognition.ignored, []);
  const weight = parameter(recognition, 'head.nextSentence.weight');
  assert.deepEqual([weight.used, weight.shape], [false, [2, 64]]);
  assert.deepEqual(weight.spaces.map(spaceName), ['class', 'residual']);
});

test('a tied head lies in the residual space and copies of the table are not read', () => {
  const tensors = shapes('bert');
  tensors.set('cls.predictions.decoder.weight', { shape: [512, 64] });
  tensors.set('cls.predictions.decoder.bias', { shape: [512] });
  const recognition = recognizeArchitecture(readConfig('bert'), tensors);
  assert.equal(recognition.architecture.head, 'tied');
  assert.ok(!ids(recognition).includes('head.decoder.weight'));
  assert.deepEqual(parameter(recognition, 'head.transform.weight').spaces.map(spaceName), [
    'residual',
    'residual',
  ]);
  assert.deepEqual(parameter(recognition, 'head.decoder.bias').stored, {
    tensor: 'cls.predictions.bias',
    shape: [512],
    transposed: false,
    offset: 0,
    readAs: ['cls.predictions.decoder.bias', 'cls.predictions.bias'],
  });
  assert.match(
    reason(recognition, 'cls.predictions.decoder.weight')!,
    /second copy of bert\.embeddings\.word_embeddings\.weight/,
  );
  assert.match(
    reason(recognition, 'cls.predictions.bias')!,
    /second copy of cls\.predictions\.decoder\.bias/,
  );
  assert.deepEqual(recognition.notes, []);
});

test('an untied head has a space of its own and its bias is written under both names', () => {
  const { config, tensors } = officialGrown();
  const onlyDecoderBias = shapesOf(tensors);
  const both = new Map(onlyDecoderBias).set('cls.predictions.bias', { shape: [97] });
  const onlyBias = new Map(both);
  onlyBias.delete('cls.predictions.decoder.bias');

  for (const [file, read] of [
    [onlyDecoderBias, 'cls.predictions.decoder.bias'],
    [both, 'cls.predictions.decoder.bias'],
    [onlyBias, 'cls.predictions.bias'],
  ] as const) {
    const recognition = recognizeArchitecture(config, file);
    assert.equal(recognition.architecture.head, 'untied');
    assert.equal(recognition.architecture.spaceSizes.get('head'), 48);
    const { stored } = parameter(recognition, 'head.decoder.bias');
    assert.equal(stored.tensor, 'cls.predictions.decoder.bias');
    assert.deepEqual(stored.alsoWrittenAs, ['cls.predictions.bias']);
    assert.equal(recognition.names.get(stored.tensor), read);
    const spaces = (id: string) => parameter(recognition, id).spaces.map(spaceName);
    assert.deepEqual(spaces('head.transform.weight'), ['head', 'residual']);
    assert.deepEqual(spaces('head.norm.weight'), ['head']);
    assert.deepEqual(spaces('head.decoder.weight'), ['vocabulary', 'head']);
  }
  assert.match(
    reason(recognizeArchitecture(config, both), 'cls.predictions.bias')!,
    /second copy of cls\.predictions\.decoder\.bias/,
  );
});

test("RoBERTa's untied head has lm_head names", () => {
  const tensors = shapes('roberta');
  tensors.set('lm_head.decoder.weight', { shape: [512, 64] });
  tensors.set('lm_head.decoder.bias', { shape: [512] });
  const config = { ...readConfig('roberta'), tie_word_embeddings: false };
  const recognition = recognizeArchitecture(config, tensors);
  assert.equal(
    parameter(recognition, 'head.decoder.weight').stored.tensor,
    'lm_head.decoder.weight',
  );
  assert.deepEqual(parameter(recognition, 'head.decoder.bias').stored.alsoWrittenAs, [
    'lm_head.bias',
  ]);
});

test("GPT-2's published files without prefix and with mask buffers are read", () => {
  const bare = renamed(shapes('gpt2'), name => name.replace('transformer.', ''));
  bare.set('h.0.attn.bias', { shape: [1, 1, 64, 64] });
  bare.set('h.0.attn.masked_bias', { shape: [] });
  const recognition = recognizeArchitecture(readConfig('gpt2'), bare);
  assert.equal(recognition.architecture.head, 'tied');
  assert.equal(parameter(recognition, 'layers.0.q.bias').stored.tensor, 'h.0.attn.c_attn.bias');
  assert.deepEqual(
    recognition.ignored.map(({ name }) => name),
    ['h.0.attn.bias', 'h.0.attn.masked_bias'],
  );
});

test('a tied GPT2Model can be trained, an untied one has no head', () => {
  const config = { ...readConfig('gpt2'), architectures: ['GPT2Model'] };
  const tied = recognizeArchitecture(config, shapes('gpt2')).architecture;
  assert.deepEqual([tied.head, tied.modelClass], ['tied', 'GPT2Model']);
  const untiedConfig = { ...config, tie_word_embeddings: false };
  const untied = recognizeArchitecture(untiedConfig, shapes('gpt2')).architecture;
  assert.deepEqual([untied.head, untied.modelClass], ['none', 'GPT2Model']);
});

test("GPT-2's untied output table is a parameter of its own, a tied one's copy is not", () => {
  const tensors = shapes('gpt2').set('lm_head.weight', { shape: [512, 64] });
  const untied = recognizeArchitecture(
    { ...readConfig('gpt2'), tie_word_embeddings: false },
    tensors,
  );
  assert.equal(untied.architecture.head, 'untied');
  assert.deepEqual(parameter(untied, 'head.decoder.weight').spaces.map(spaceName), [
    'vocabulary',
    'residual',
  ]);
  const tied = recognizeArchitecture(readConfig('gpt2'), tensors);
  assert.ok(!ids(tied).includes('head.decoder.weight'));
  assert.match(reason(tied, 'lm_head.weight')!, /second copy of transformer\.wte\.weight/);
});

const outputTables = {
  bert: 'cls.predictions.decoder.weight',
  roberta: 'lm_head.decoder.weight',
  gpt2: 'lm_head.weight',
} as const;
const wordTables = {
  bert: 'bert.embeddings.word_embeddings.weight',
  roberta: 'roberta.embeddings.word_embeddings.weight',
  gpt2: 'transformer.wte.weight',
} as const;

for (const family of ['bert', 'roberta', 'gpt2'] as const) {
  const table = outputTables[family];

  test(`a table of ${family} that is not the embeddings' is untied whatever config.json says`, () => {
    const config = { ...readConfig(family), tie_word_embeddings: true };
    const tensors = shapes(family).set(table, { shape: [512, 64] });
    assert.ok(
      twinTensors(config, tensors).some(pair => pair.join() === [table, wordTables[family]].join()),
    );
    const recognition = recognizeArchitecture(config, tensors, { different: new Set([table]) });
    const { architecture, notes, ignored } = recognition;
    assert.equal(architecture.head, 'untied');
    assert.equal(parameter(recognition, 'head.decoder.weight').stored.tensor, table);
    assert.equal(architecture.config['tie_word_embeddings'], false);
    assert.deepEqual(ignored, []);
    assert.match(notes.map(({ message }) => message).join(), /ties .* holds other values/);
  });

  test(`the embeddings of a tied ${family} may lie in the file as the output table alone`, () => {
    const tensors = renamed(shapes(family), name => (name === wordTables[family] ? table : name));
    const recognition = recognizeArchitecture(readConfig(family), tensors);
    assert.equal(recognition.architecture.head, 'tied');
    assert.equal(recognition.names.get(wordTables[family]), table);
    assert.deepEqual(recognition.ignored, []);
  });
}

test('of two output biases that differ the decoder’s is read, and that is said', () => {
  const tensors = shapes('bert').set('cls.predictions.decoder.bias', { shape: [512] });
  const recognition = recognizeArchitecture(readConfig('bert'), tensors, {
    different: new Set(['cls.predictions.decoder.bias']),
  });
  assert.equal(recognition.architecture.head, 'tied');
  assert.equal(recognition.names.get('cls.predictions.bias'), 'cls.predictions.decoder.bias');
  assert.match(recognition.notes[0]!.message, /hold different values: the first is used/);
  assert.match(reason(recognition, 'cls.predictions.bias')!, /used instead, with other values/);
});

test('DeiT with one classifier keeps its distillation token and reads only the class token', () => {
  const tensors = renamed(shapes('deit'), name =>
    name.startsWith('distillation_classifier')
      ? undefined
      : name.replace('cls_classifier', 'classifier'),
  );
  const config = { ...readConfig('deit'), architectures: ['DeiTForImageClassification'] };
  const recognition = recognizeArchitecture(config, tensors);
  assert.equal(recognition.architecture.modelClass, 'DeiTForImageClassification');
  assert.equal(parameter(recognition, 'head.classifier.weight').stored.tensor, 'classifier.weight');
  assert.ok(ids(recognition).includes('embeddings.distillation.weight'));
  assert.ok(!ids(recognition).includes('head.distillation.weight'));
});

test('vision parameters say both their logical shape and the one on disk', () => {
  const { recognition } = readFixture('deit');
  const shapesById = (id: string) => {
    const { shape, stored } = parameter(recognition, id);
    return { shape, stored: stored.shape };
  };
  assert.deepEqual(shapesById('embeddings.patch.weight'), {
    shape: [48, 192],
    stored: [48, 3, 8, 8],
  });
  assert.deepEqual(shapesById('embeddings.cls.weight'), { shape: [48], stored: [1, 1, 48] });
  assert.deepEqual(shapesById('embeddings.position.weight'), {
    shape: [18, 48],
    stored: [1, 18, 48],
  });
});

test("a vision model's pooler is grown along when it is as wide as the model, else left out", () => {
  const bare = renamed(shapes('vit'), name =>
    name.startsWith('vit.') ? name.slice('vit.'.length) : undefined,
  );
  const config = { ...readConfig('vit'), architectures: ['ViTModel'] };
  bare.set('pooler.dense.weight', { shape: [48, 48] }).set('pooler.dense.bias', { shape: [48] });
  const kept = recognizeArchitecture(config, bare);
  assert.deepEqual(
    [kept.architecture.head, parameter(kept, 'pooler.weight').used],
    ['none', false],
  );
  assert.deepEqual(kept.ignored, []);
  bare.set('pooler.dense.weight', { shape: [32, 48] }).set('pooler.dense.bias', { shape: [32] });
  const dropped = recognizeArchitecture({ ...config, pooler_output_size: 32 }, bare);
  assert.ok(!ids(dropped).includes('pooler.weight'));
  assert.match(reason(dropped, 'pooler.dense.weight')!, /no space that grows/);
});

test("a vision model's mask token grows along, and another class than is there is named", () => {
  const tensors = shapes('vit').set('vit.embeddings.mask_token', { shape: [1, 1, 48] });
  const config = { ...readConfig('vit'), architectures: ['ViTHybridForSomething'] };
  const recognition = recognizeArchitecture(config, tensors);
  const token = parameter(recognition, 'embeddings.mask.weight');
  assert.deepEqual([token.used, token.shape, token.stored.shape], [false, [48], [1, 1, 48]]);
  assert.deepEqual(recognition.lost, []);
  assert.deepEqual(recognition.architecture.config['architectures'], ['ViTForImageClassification']);
  assert.match(recognition.notes[0]!.message, /"ViTHybridForSomething"/);
});

test('ViT without query biases has none declared', () => {
  const tensors = renamed(shapes('vit'), name =>
    /attention\.attention\.\w+\.bias$/.test(name) ? undefined : name,
  );
  const recognition = recognizeArchitecture({ ...readConfig('vit'), qkv_bias: false }, tensors);
  assert.ok(!ids(recognition).includes('layers.0.q.bias'));
  assert.ok(ids(recognition).includes('layers.0.o.bias'));
});

test('tensors of another task are ignored by name', () => {
  const tensors = shapes('bert').set('classifier.weight', { shape: [3, 64] });
  const recognition = recognizeArchitecture(readConfig('bert'), tensors);
  assert.equal(reason(recognition, 'classifier.weight'), 'not part of BertForMaskedLM');
});

test('CamemBERT and XLM-RoBERTa are RoBERTa by other names', () => {
  const roberta = readFixture('roberta').recognition.architecture;
  for (const [modelType, className] of [
    ['camembert', 'Camembert'],
    ['xlm-roberta', 'XLMRoberta'],
  ]) {
    const config = {
      ...readConfig('roberta'),
      model_type: modelType,
      architectures: [`${className}ForMaskedLM`],
    };
    const { architecture } = recognizeArchitecture(config, shapes('roberta'));
    assert.equal(architecture.family, modelType);
    assert.equal(architecture.modelClass, `${className}ForMaskedLM`);
    assert.deepEqual(architecture.parameters, roberta.parameters);
    const nameless = recognizeArchitecture({ ...config, model_type: undefined }, shapes('roberta'));
    assert.equal(nameless.architecture.family, modelType);
  }
});

test('a discriminator of ELECTRA is known, with the head that tells replaced tokens', () => {
  const config = { ...readConfig('electra'), architectures: ['ElectraForPreTraining'] };
  const tensors = new Map([...shapes('electra')].filter(([name]) => !name.startsWith('generator')));
  tensors.set('discriminator_predictions.dense.weight', { shape: [48, 48] });
  tensors.set('discriminator_predictions.dense.bias', { shape: [48] });
  tensors.set('discriminator_predictions.dense_prediction.weight', { shape: [1, 48] });
  tensors.set('discriminator_predictions.dense_prediction.bias', { shape: [1] });
  const { architecture, ignored } = recognizeArchitecture(config, tensors);
  assert.equal(architecture.modelClass, 'ElectraForPreTraining');
  assert.equal(architecture.head, 'none');
  assert.deepEqual(ignored, []);
});
