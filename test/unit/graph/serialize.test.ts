import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { onnxRuntimeCpu } from '../../../src/engine';
import * as g from '../../../src/graph';
import { decodeModel, type ModelProto } from '../../../src/graph/onnx/schema';
import { assertClose } from '../../support/close';
import { runOnce } from '../../support/programs';
import { randomGraph } from './randomGraph';

const x = g.input('x', [2, 3]);
const engine = onnxRuntimeCpu({ threads: 1 });

const program = (parts: Partial<g.Program>): g.Program => ({
  feeds: [x],
  frozen: [],
  state: [],
  outputs: {},
  ...parts,
});
const graphOf = (parts: Partial<g.Program>): ModelProto['graph'] =>
  decodeModel(g.serializeProgram(program(parts)).bytes).graph;

describe('serializeProgram', () => {
  it('writes nodes, attributes, shapes and constants that decode to what they were', () => {
    const w = g.input('w', [4, 3]);
    const product = g.gemm(x, w, { transB: true });
    const normal = g.layerNormalization(
      product,
      g.constant(Float32Array.of(1, 2, 3, 4)),
      g.constant(new Float32Array(4)),
      1e-5,
    );
    const graph = graphOf({
      frozen: [w],
      outputs: { y: g.reshape(g.transpose(normal.y, [1, 0]), [8]) },
    });

    assert.deepEqual(
      graph.node.map(({ opType }) => opType),
      ['Gemm', 'LayerNormalization', 'Transpose', 'Reshape'],
    );
    const [gemm, normalization, transposition, reshaping] = graph.node;
    assert.deepEqual(
      gemm!.attribute.map(({ name, i = 0 }) => [name, i]),
      [
        ['transA', 0],
        ['transB', 1],
      ],
    );
    assert.deepEqual(gemm!.input, ['x', 'w']);
    assert.equal(normalization!.input[0], gemm!.output[0]);
    assert.equal(normalization!.output.length, 3);
    assert.ok(
      Math.abs(normalization!.attribute.find(a => a.name === 'epsilon')!.f! - 1e-5) < 1e-11,
    );
    assert.deepEqual(transposition!.attribute[0]!.ints, [1, 0]);
    assert.deepEqual(reshaping!.output, ['out.y']);

    const constant = (name: string) => graph.initializer.find(tensor => tensor.name === name)!;
    const bytes = (data: Uint8Array): ArrayBuffer => Uint8Array.from(data).buffer;
    const weight = constant(normalization!.input[1]!);
    assert.deepEqual(new Float32Array(bytes(weight.rawData)), Float32Array.of(1, 2, 3, 4));
    assert.deepEqual([weight.dims, weight.dataType], [[4], 1]);
    const shape = constant(reshaping!.input[1]!);
    assert.deepEqual(new BigInt64Array(bytes(shape.rawData)), BigInt64Array.of(8n));
    assert.deepEqual([shape.dims, shape.dataType], [[1], 7]);

    const dims = ({ type }: ModelProto['graph']['input'][number]): number[] =>
      type.tensorType.shape.dim.map(({ dimValue }) => dimValue!);
    assert.deepEqual(
      graph.input.map(value => [value.name, dims(value)]),
      [
        ['x', [2, 3]],
        ['w', [4, 3]],
      ],
    );
    assert.deepEqual(
      graph.output.map(value => [value.name, dims(value)]),
      [['out.y', [8]]],
    );
  });

  it('decodes random graphs to the same structure: no value is read before it is made', () => {
    for (let seed = 200; seed < 220; seed++) {
      const { inputs, results } = randomGraph(seed);
      const outputs = Object.fromEntries(results.map((result, index) => [`r${index}`, result]));
      const graph = graphOf({ feeds: inputs, outputs });
      const made = new Set([
        ...inputs.map(g.inputName),
        ...graph.initializer.map(({ name }) => name),
      ]);
      for (const node of graph.node) {
        for (const name of node.input) assert.ok(made.has(name), `${name} is read too early`);
        for (const name of node.output) {
          assert.ok(!made.has(name), `${name} is made twice`);
          made.add(name);
        }
      }
      const computed = graph.node.filter(({ opType }) => opType !== 'Identity').length;
      const sources: g.Operator[] = ['Input', 'Constant'];
      const nodes = g.topologicalOrder(results).filter(({ op }) => !sources.includes(op));
      assert.equal(computed, nodes.length);
      for (const { name } of graph.output) assert.ok(made.has(name));
    }
  });

  it('computes on ONNX Runtime what random graphs mean', async () => {
    for (let seed = 300; seed < 325; seed++) {
      const { inputs, results, feeds } = randomGraph(seed);
      const outputs = Object.fromEntries(results.map((result, index) => [`r${index}`, result]));
      const plain = { feeds: inputs, frozen: [], state: [], outputs };
      const expected = g.evaluate(results, feeds);
      for (const form of [plain, g.simplifyProgram(plain)]) {
        const computed = await runOnce(engine, form, feeds);
        expected.forEach((values, index) => {
          const largest = Math.max(1, ...values.map(Math.abs));
          assertClose(computed[`r${index}`]!, values, 2e-5 * largest, `seed ${seed}`);
        });
      }
    }
  });

  it('gives the same bytes for the same program', () => {
    const build = (): Uint8Array => {
      const { inputs, results } = randomGraph(12);
      const outputs = Object.fromEntries(results.map((result, index) => [`r${index}`, result]));
      return g.serializeProgram({ feeds: inputs, frozen: [], state: [], outputs }).bytes;
    };
    assert.deepEqual(build(), build());
    assert.ok(build().length > 500);
  });

  it("turns ArgMax's int64 into the graph's int32", () => {
    const graph = graphOf({ outputs: { best: g.argMax(x) } });
    assert.deepEqual(
      graph.node.map(({ opType }) => opType),
      ['ArgMax', 'Cast'],
    );
    const [argMax, cast] = graph.node;
    assert.deepEqual(cast!.input, argMax!.output);
    assert.deepEqual(cast!.output, ['out.best']);
    assert.equal(cast!.attribute[0]!.i, 6);
    assert.equal(graph.output[0]!.type.tensorType.elemType, 6);
  });

  it('copies an output that is an Input, a constant or another output', async () => {
    const sum = g.add(x, 1);
    const parts = { outputs: { given: x, known: g.scalar(3), sum, again: sum } };
    assert.deepEqual(
      graphOf(parts).node.map(({ opType, output }) => [opType, output[0]]),
      [
        ['Add', 'out.sum'],
        ['Identity', 'out.given'],
        ['Identity', 'out.known'],
        ['Identity', 'out.again'],
      ],
    );
    const feeds = { x: Float32Array.of(1, 2, 3, 4, 5, 6) };
    const outputs = await runOnce(engine, program(parts), feeds);
    assert.deepEqual(outputs['given'], feeds.x);
    assert.deepEqual(outputs['known'], Float32Array.of(3));
    assert.deepEqual(outputs['sum'], Float32Array.of(2, 3, 4, 5, 6, 7));
    assert.deepEqual(outputs['again'], outputs['sum']);
  });

  it('writes the same sizes once and each constant with its own values', () => {
    const a = g.reshape(g.constant(Float32Array.of(1, 2, 3, 4)), [2, 2]);
    const b = g.reshape(g.constant(Float32Array.of(5, 6, 7, 8)), [2, 2]);
    const graph = graphOf({ outputs: { product: g.gemm(a, b) } });
    assert.equal(graph.initializer.length, 3);
  });

  it('writes a constant that is a view into a larger buffer', async () => {
    const view = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    const { y } = await runOnce(engine, program({ outputs: { y: g.neg(g.constant(view)) } }), {
      x: new Float32Array(6),
    });
    assert.deepEqual(y, Float32Array.of(-1, -2));
  });

  it('refuses a program that reads what it does not declare', () => {
    assert.throws(
      () => g.serializeProgram(program({ outputs: { y: g.add(x, g.input('y', [3])) } })),
      /reads "y" but does not declare it/,
    );
  });
});
