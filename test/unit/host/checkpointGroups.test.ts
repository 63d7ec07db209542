import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  groupCheckpoints,
  isGroup,
  placeFrom,
  sameRows,
  type TreeNode,
} from '../../../src/host/checkpoints/checkpointGroups';
import {
  arrange,
  labelOf,
  shortReason,
  siblingAt,
  type Found,
} from '../../../src/host/checkpoints/checkpointTree';
import { Relatives } from '../../../src/host/checkpoints/relatives';
import type { CheckpointSummary } from '../../../src/protocol/service';

const sizes = { layers: 2, hidden: 8, heads: 2, ffn: 32, parameters: 9 };
const model = { family: 'gpt2', modelClass: 'M', ...sizes };

function found(path: string, kind: CheckpointSummary['kind'] = 'model', parent?: string): Found {
  const usable = { ...model, objective: 'o', head: 'tied', usualBatch: { size: 16 } };
  return {
    path,
    summary: {
      ...{ path, files: [path], bytes: 1, elementTypes: 'F32', kind },
      ...(kind === 'model' && { model: usable }),
      ...(parent !== undefined && { parent: { ...model, path: parent, sha256: '0' } }),
    },
  };
}

const nested = (all: readonly Found[]): ReturnType<typeof arrange> => {
  const relatives = new Relatives(all);
  return arrange(all, child => relatives.parentByPath(child));
};

const rows = (all: readonly Found[]): TreeNode[] =>
  groupCheckpoints(nested(all), ({ path }) => placeFrom(path.slice('/w/'.length)));

/** The tree as an outline: headings with a slash, what is below indented. */
const outline = (nodes: readonly TreeNode[], indent = ''): string[] =>
  nodes.flatMap(node => [
    indent + (isGroup(node) ? `${node.group} ${node.name} (${node.count})` : node.label),
    ...outline(node.children, `${indent}  `),
  ]);

const series = (folder: string, count: number): Found[] =>
  Array.from({ length: count }, (_, index) =>
    found(`/w/${folder}/checkpoint-${index + 1}/model.safetensors`),
  );

test('few checkpoints are one list, counted as people count', () => {
  const all = ['model-10', 'b/model-2', 'model-1'].map(name =>
    found(`/w/${name}/model.safetensors`),
  );
  assert.deepEqual(outline(rows(all)), ['model-1', 'model-2', 'model-10']);
});

test('a tree is the same only with the same checkpoints, looked into once, in the same places', () => {
  const [child, parent] = [
    found('/w/a-grown/model.safetensors', 'model', '/w/a'),
    found('/w/a/model.safetensors'),
  ];
  const before = rows([child, parent]);
  assert.ok(sameRows(before, rows([parent, child])));
  assert.ok(!sameRows(before, rows([parent])));
  assert.ok(!sameRows(before, rows([parent, found(child.path, 'model')])));
  assert.ok(!sameRows(before, rows([{ ...parent, setAside: true }, child])));
  const damaged = { path: parent.path, failure: { message: 'cut', remedy: '' } };
  assert.ok(!sameRows(before, rows([damaged, child])));
  const many = series('runs', 40);
  assert.ok(sameRows(rows(many), rows(many)));
  assert.ok(!sameRows(rows(many), rows(series('others', 40))));
});

test('folders are headings where there are many checkpoints', () => {
  const all = [
    ...series('runs/b', 12),
    ...series('runs/a/deep', 11),
    found('/w/runs/x.safetensors'),
  ];
  const shown = rows(all);
  assert.deepEqual(
    shown.map(node => (isGroup(node) ? [node.name, node.count] : node.label)),
    [['a/deep', 11], ['b', 12], 'x.safetensors'],
  );
  const labels = shown[1]!.children.map(node => (isGroup(node) ? '' : node.label));
  assert.equal(labels.length, 12);
  assert.deepEqual(labels.slice(0, 3), ['checkpoint-1', 'checkpoint-2', 'checkpoint-3']);
  assert.deepEqual(labels.slice(-3), ['checkpoint-10', 'checkpoint-11', 'checkpoint-12']);
});

test('a folder with many folders in it has their headings below its own', () => {
  const all = [...series('runs/a', 9), ...series('runs/b', 9), ...series('base', 2)];
  const headings = outline(rows(all)).filter(line => line.includes('folder'));
  assert.deepEqual(headings, [
    'folder base (2)',
    'folder runs (18)',
    '  folder a (9)',
    '  folder b (9)',
  ]);
});

test('many checkpoints of one folder need no heading', () => {
  assert.equal(rows(series('runs/a', 40)).some(isGroup), false);
});

test('the same label twice is told apart by where it lies', () => {
  const shown = rows([...series('a', 1), ...series('b/c', 1), found('/w/other/model.safetensors')]);
  assert.deepEqual(
    shown.map(node => (isGroup(node) ? '' : `${node.label} ${node.place}`)),
    ['checkpoint-1 a', 'checkpoint-1 b/c', 'other undefined'],
  );
});

test('what cannot be used stands at the end, by why', () => {
  const failure = { message: 'it was cut short', remedy: '' };
  const aside = '/w/.ligo-00000000-11111111-42-22222222.replaced/model.safetensors';
  const all: Found[] = [
    found('/w/a-broken/model.safetensors', 'broken'),
    { path: '/w/a.safetensors', failure },
    found('/w/alien-10/model.safetensors', 'unsupported'),
    found('/w/alien-9/model.safetensors', 'unsupported'),
    { ...found(aside), setAside: true },
    found('/w/tensors.safetensors', 'tensors'),
    found('/w/z/model.safetensors'),
    // Grown from what is damaged by now, and damaged itself: neither hides the other.
    found('/w/grown/model.safetensors', 'model', '/w/a-broken/model.safetensors'),
    found('/w/spoilt/model.safetensors', 'broken', '/w/z/model.safetensors'),
    found('/w/z/operators.safetensors', 'part'),
  ];
  assert.deepEqual(outline(rows(all)), [
    'grown',
    'z',
    'tensors.safetensors',
    'unsupported  (2)',
    '  alien-9',
    '  alien-10',
    'damaged  (3)',
    '  a-broken',
    '  a.safetensors',
    '  spoilt',
    'setAside  (1)',
    '  .ligo-00000000-11111111-42-22222222.replaced',
  ]);
});

test('a reason is told without the path that the row stands for', () => {
  const path = join('/w', 'm', 'model.safetensors');
  assert.equal(shortReason(path, `${path} is truncated.`), 'is truncated.');
  assert.equal(shortReason(path, `${path}: it ends early.`), 'it ends early.');
  assert.equal(
    shortReason(path, `There is no ${join('/w', 'm', 'config.json')} beside it.`),
    'There is no config.json beside it.',
  );
});

test('folders in the making, and those set aside, are told by their names', () => {
  const name = '.ligo-00000000-1a1b1c1d-42-deadbeef';
  assert.equal(siblingAt(`/w/${name}.partial/model.safetensors`)?.kind, 'partial');
  assert.equal(siblingAt(`/w/${name}.replaced/model.safetensors`)?.pid, 42);
  assert.equal(siblingAt(`C:\\w\\${name}.partial\\model.safetensors`)?.kind, 'partial');
  for (const other of ['.ligo-mine', `${name}.old`, `x${name}.partial`, '.ligo']) {
    assert.equal(siblingAt(`/w/${other}/model.safetensors`), undefined);
  }
});

test('a shard without an index is called by its folder too', () => {
  assert.equal(labelOf('/w/gpt2/model-00001-of-00003.safetensors'), 'gpt2');
  assert.deepEqual(placeFrom('x/gpt2/model-00001-of-00003.safetensors'), ['x']);
  assert.deepEqual(placeFrom('x/gpt2/adapter.safetensors'), ['x', 'gpt2']);
  assert.deepEqual(placeFrom('model.safetensors'), []);
});

test('much that cannot be used is shown by folder too, under headings of its own', () => {
  const all = ['a', 'b'].flatMap(folder =>
    Array.from({ length: 20 }, (_, index) => [
      found(`/w/${folder}/good-${index}/model.safetensors`),
      found(`/w/${folder}/packed-${index}/model.safetensors`, 'unsupported'),
    ]).flat(),
  );
  const [, , unsupported] = rows(all);
  assert.ok(unsupported && isGroup(unsupported));
  assert.equal(unsupported.count, 40);
  assert.deepEqual(
    unsupported.children.map(row => isGroup(row) && [row.name, row.count]),
    [
      ['a', 20],
      ['b', 20],
    ],
  );
  const keys = (nodes: readonly TreeNode[]): string[] =>
    nodes.flatMap(node => (isGroup(node) ? [node.key, ...keys(node.children)] : []));
  assert.equal(new Set(keys(rows(all))).size, 5);
});
