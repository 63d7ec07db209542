import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Changes } from '../../../src/host/checkpoints/changes';
import type { Found } from '../../../src/host/checkpoints/checkpointTree';
import { Relatives } from '../../../src/host/checkpoints/relatives';
import { Stamps } from '../../../src/host/checkpoints/stamps';

test('all is looked at first, and then only where something was changed', () => {
  const changes = new Changes();
  const first = changes.take();
  assert.ok(first.names && first.mayConcern('/w/a/model.safetensors'));
  changes.file('/w/a/config.json');
  const second = changes.take();
  assert.equal(second.names, false);
  const concerns = (path: string): boolean => second.mayConcern(path);
  assert.ok(concerns('/w/a/model.safetensors'));
  assert.ok(!concerns('/w/a/below/model.safetensors'));
  assert.ok(!concerns('/w/ab/model.safetensors'));
  assert.ok(!changes.take().mayConcern('/w/a/model.safetensors'));
});

test('a folder that came or went concerns all that lies below it', () => {
  const changes = new Changes();
  changes.take();
  changes.folder('/w/a');
  const { names, mayConcern } = changes.take();
  assert.ok(names && mayConcern('/w/a/model.bin') && mayConcern('/w/a/b/c/model.bin'));
  assert.ok(!mayConcern('/w/ab/model.bin') && !mayConcern('/w/model.bin'));
});

test('names may have changed where a file came or went, and everything where nobody knows', () => {
  const changes = new Changes();
  changes.take();
  changes.name('/w/a/model.bin');
  assert.ok(changes.take().names);
  changes.all();
  const { names, mayConcern } = changes.take();
  assert.ok(names && mayConcern('/elsewhere/model.bin'));
});

test('a stamp tells what was changed: the file, or what lies beside it', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'ligo-stamps-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'model.bin');
  writeFileSync(file, '1');
  const before = await new Stamps().of(file);
  assert.deepEqual(await new Stamps().of(file), before);
  writeFileSync(join(folder, 'config.json'), '{}');
  const beside = await new Stamps().of(file);
  assert.equal(beside?.own, before?.own);
  assert.notEqual(beside?.beside, before?.beside);
  utimesSync(file, 1, 1);
  assert.notEqual((await new Stamps().of(file))?.own, before?.own);
  assert.equal(await new Stamps().of(join(folder, 'absent.bin')), undefined);
});

const sizes = { family: 'gpt2', modelClass: 'M', layers: 2, hidden: 8, heads: 2, ffn: 32 };

function found(path: string, parameters: number, parent?: string): Found {
  const model = { ...sizes, parameters };
  return {
    path,
    summary: {
      ...{ path, files: [path], bytes: 1, elementTypes: 'F32', kind: 'model' },
      model: { ...model, objective: 'o', head: 'tied', usualBatch: { size: 16 } },
      ...(parent !== undefined && { parent: { ...model, path: parent, sha256: '0' } }),
    },
  };
}

test('a parent that was moved is one of the same sizes, and never the child itself', () => {
  const child = found('/w/child/model.bin', 9, '/gone');
  const same = found('/w/same/model.bin', 9);
  const relatives = new Relatives([child, same, found('/w/other/model.bin', 10)]);
  assert.equal(relatives.parentByPath(child), undefined);
  assert.deepEqual(relatives.ofParentsSizes(child), [same]);
  assert.deepEqual(relatives.ofParentsSizes(same), []);
});
