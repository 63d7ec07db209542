import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as g from '../../../src/graph';
import { randomGraph } from './randomGraph';

const program = (parts: Partial<g.Program>): g.Program => ({
  feeds: [],
  frozen: [],
  state: [],
  outputs: {},
  ...parts,
});

describe('ancestry', () => {
  it('tells what each node of random programs is made of', () => {
    for (let seed = 200; seed < 210; seed++) {
      const order = g.topologicalOrder(randomGraph(seed, 60).results);
      const isMadeOf = g.ancestry(order, new Set(order));
      for (const node of order) {
        const made = new Set(g.topologicalOrder([node.outputs[0]!]));
        for (const one of order) assert.equal(isMadeOf(one, node), made.has(one));
      }
    }
  });
});

describe('topologicalOrder', () => {
  it('puts every node once, after all it reads', () => {
    for (let seed = 100; seed < 120; seed++) {
      const { results } = randomGraph(seed);
      const order = g.topologicalOrder(results);
      assert.equal(new Set(order).size, order.length);
      const place = new Map(order.map((node, index) => [node, index]));
      for (const node of order) {
        for (const input of node.inputs) assert.ok(place.get(input.node)! < place.get(node)!);
      }
      for (const { node } of results) assert.ok(place.has(node));
    }
  });

  it('is the same every time', () => {
    const ops = (): string[] => g.topologicalOrder(randomGraph(5).results).map(({ op }) => op);
    assert.deepEqual(ops(), ops());
  });

  it('takes what reads itself many times as quickly as what does not', () => {
    let x = g.input('x', [1]);
    for (let link = 0; link < 60; link++) x = g.add(x, x);
    assert.equal(g.topologicalOrder([x]).length, 61);
  });
});

describe('validateProgram', () => {
  const [x, y] = [g.input('x', [2]), g.input('y', [2])];
  const sum = g.add(x, y);

  it('accepts inputs that are fed, frozen or state, and ones that nothing reads', () => {
    g.validateProgram(
      program({
        feeds: [x, g.input('unread', [3])],
        frozen: [g.input('frozen', [1])],
        state: [{ input: y, next: sum }],
        outputs: { sum },
      }),
    );
  });

  it('refuses an input that is read but not declared, by an output or by state', () => {
    assert.throws(() => g.validateProgram(program({ feeds: [x], outputs: { sum } })), /reads "y"/);
    assert.throws(
      () => g.validateProgram(program({ frozen: [y], state: [{ input: y, next: sum }] })),
      /share a name/,
    );
    assert.throws(
      () => g.validateProgram(program({ state: [{ input: y, next: sum }] })),
      /reads "x"/,
    );
  });

  it('refuses two declared inputs of one name', () => {
    assert.throws(
      () => g.validateProgram(program({ feeds: [x, g.input('x', [2])] })),
      /share a name/,
    );
    assert.throws(() => g.validateProgram(program({ feeds: [x], frozen: [x] })), /share a name/);
  });

  it('refuses another input under a declared name', () => {
    const stranger = g.input('x', [2]);
    assert.throws(
      () => g.validateProgram(program({ feeds: [x], outputs: { doubled: g.add(x, stranger) } })),
      /another input named "x"/,
    );
  });

  it('refuses state that would change its shape or type', () => {
    const vector = g.input('vector', [2]);
    assert.throws(
      () =>
        g.validateProgram(program({ state: [{ input: vector, next: g.reshape(vector, [1, 2]) }] })),
      /"vector" would become float32 \[1, 2\]/,
    );
    const index = g.input('index', [2], 'int32');
    assert.throws(
      () => g.validateProgram(program({ feeds: [x], state: [{ input: index, next: x }] })),
      /"index" would become float32/,
    );
  });

  it('refuses to call something an input that is none', () => {
    assert.throws(() => g.validateProgram(program({ feeds: [sum] })), /Add is not an Input/);
  });
});
