import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as g from '../../../src/graph';
import { dataTypes, decodeModel } from '../../../src/graph/onnx/schema';

const x = g.input('x', [4, 4]);
const w = g.input('w', [4, 4]);

/** Each node as its operator and what it reads and makes; casts with their type. */
function written(outputs: Record<string, g.Tensor>): string[] {
  const program = { feeds: [x, w], frozen: [], state: [], outputs };
  const { node } = decodeModel(g.serializeProgram(program, { products: 'float16' }).bytes).graph;
  const types = new Map<number, string>(Object.entries(dataTypes).map(([name, id]) => [id, name]));
  return node.map(({ opType, input, output, attribute }) => {
    const to = opType === 'Cast' ? ` ${types.get(attribute[0]!.i!)}` : '';
    return `${opType}${to}(${input.join()}) → ${output.join()}`;
  });
}

describe('products in float16', () => {
  it('read casts of their operands and give a cast of their result', () => {
    assert.deepEqual(written({ y: g.gemm(x, w) }), [
      'Cast float16(x) → x.float16',
      'Cast float16(w) → w.float16',
      'Gemm(x.float16,w.float16) → out.y.float16',
      'Cast float32(out.y.float16) → out.y',
    ]);
  });

  it('share one cast of what several of them read, made right after it', () => {
    const h = g.exp(x);
    const nodes = written({ y: g.add(g.gemm(h, w), g.gemm(w, h)) });
    assert.equal(nodes.filter(node => node.startsWith('Cast float16')).length, 2);
    const made = nodes.findIndex(node => node.startsWith('Exp'));
    assert.match(nodes[made + 1]!, /^Cast float16\(value/);
  });

  it('pass a product to a product without going through float32', () => {
    const nodes = written({ y: g.gemm(g.gemm(x, w), w) });
    assert.equal(nodes.filter(node => node.startsWith('Cast float32')).length, 1);
  });

  it('leave everything else as it is', () => {
    assert.deepEqual(written({ y: g.mul(x, w) }), ['Mul(x,w) → out.y']);
  });
});
