import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { arrange, candidates, type Found } from '../../../src/host/checkpoints/checkpointTree';
import { inspectorOf, weightPattern } from '../../../src/host/checkpoints/weightsFile';

const found = (path: string): Found => ({
  path,
  summary: { path, files: [path], bytes: 1, elementTypes: 'F32', kind: 'tensors' },
});
const labels = (...paths: string[]): string[] =>
  arrange(paths.map(found), () => undefined).map(({ label }) => label);

describe('files that may be checkpoints', () => {
  it('stand once for all shards of a series, of any format', () => {
    const paths = [
      '/a/pytorch_model-00001-of-00002.bin',
      '/a/pytorch_model-00002-of-00002.bin',
      '/a/pytorch_model.bin.index.json',
      '/b/model-00001-of-00002.safetensors',
      '/b/model-00002-of-00002.safetensors',
      '/c/llama-00001-of-00002.gguf',
      '/c/llama-00002-of-00002.gguf',
    ];
    assert.deepEqual(candidates(paths), [
      '/a/pytorch_model.bin.index.json',
      '/b/model-00001-of-00002.safetensors',
      '/c/llama-00001-of-00002.gguf',
    ]);
  });

  it('are neither what trainers keep beside a model nor parts of one', () => {
    const paths = ['/a/optimizer.pt', '/a/rng_state_0.pth', '/a/training_args.bin'];
    assert.deepEqual(candidates([...paths, '/a/group1-shard1of2.bin', '/a/last.pt']), [
      '/a/last.pt',
    ]);
  });

  it('are called by their folder, and by their own name beside what transformers takes first', () => {
    assert.deepEqual(
      labels('/x/bert/tf_model.h5', '/x/bert/pytorch_model.bin', '/x/bert/model.safetensors'),
      ['bert', 'bert/pytorch_model.bin', 'bert/tf_model.h5'],
    );
    assert.deepEqual(labels('/x/ds/zero_to_fp32.py', '/x/dcp/__0_0.distcp'), ['dcp', 'ds']);
    assert.deepEqual(labels('/x/llama/tiny.gguf', '/x/run/last.ckpt'), ['last.ckpt', 'tiny.gguf']);
  });

  it('are looked at by one pattern without groups in groups', () => {
    assert.match(weightPattern, /^\*\*\/\{[^{}]+\}$/);
    for (const name of [
      ...['*.gguf', '*.bin.index.json', 'model.json', '*.onnx', '*.keras', '*.pth.tar'],
      'zero_to_fp32.py',
    ]) {
      assert.ok(weightPattern.slice(4, -1).split(',').includes(name), name);
    }
    assert.ok(!weightPattern.includes('*.json'));
  });

  it('open in an editor that is the default only where no other can show them', () => {
    assert.equal(inspectorOf('/a/model.safetensors'), 'ligo.inspector');
    assert.equal(inspectorOf('/a/pytorch_model.bin.index.json'), 'ligo.indexInspector');
    assert.equal(inspectorOf('/a/model.json'), 'ligo.otherInspector');
    assert.equal(inspectorOf('/a/pytorch_model.bin'), 'ligo.otherInspector');
  });
});
