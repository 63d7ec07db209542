import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openCheckpoint } from '../../../../../src/checkpoint/checkpoint';
import { CorruptFileError, UnsupportedError } from '../../../../../src/errors';
import { assertUserError, put, temporaryFolder } from '../../files';
import { archive, dict, named, pickle, storage, tensor, text, tuple } from './build';

const good = tensor(storage('0', 6), [6]);
const state = (value: string): Buffer => archive(pickle(dict({ w: good, x: value })));

/** Pickles that are large or deep without end; each of them is small, or repeats itself. */
const bombs: readonly (readonly [what: string, value: () => string, says: RegExp])[] = [
  ['a million marks', () => '('.repeat(1e6), /nests more than 1000 levels deep/],
  ['millions of lists', () => ']'.repeat(3e6), /more than any known checkpoint/],
  ['millions of dicts', () => '}'.repeat(3e6), /more than any known checkpoint/],
  ['millions of numbers', () => 'N'.repeat(12e6), /more than any known checkpoint/],
  ['millions of memos', () => `N${'\x94'.repeat(17e6)}`, /more than any known checkpoint/],
  ['nothing over and over', () => 'N0'.repeat(11e6), /more than any known checkpoint/],
  [
    'pairs of a list over and over',
    () =>
      `](${`${tuple('K\x01', 'N')}`.repeat(1000)}eq\x01${`${named('collections', 'OrderedDict')}h\x01\x85R0`.repeat(5000)}`,
    /more than any known checkpoint/,
  ],
];

for (const [what, value, says] of bombs) {
  test(`a pickle of ${what} is refused`, async t => {
    const path = await put(await temporaryFolder(t), 'a.pt', state(value()));
    await assertUserError(openCheckpoint(path), UnsupportedError, says);
  });
}

test('a list in itself, ten thousand lists in each other, and dicts in each other do no harm', async t => {
  const folder = await temporaryFolder(t);
  const inItself = ']q\x01h\x01a';
  const deep = `${']'.repeat(10_000)}${'a'.repeat(9999)}`;
  const dictInItself = `}q\x01${text('x')}h\x01s`;
  for (const value of [inItself, deep, dictInItself]) {
    const found = await openCheckpoint(await put(folder, 'a.pt', state(value)));
    assert.deepEqual([...found.tensors.keys()], ['w']);
    assert.match(found.notes[0]!.message, /not read: "x"/);
    await found.close();
  }
});

test('calls that call each other, however deep or in a circle, are refused', async t => {
  const folder = await temporaryFolder(t);
  const rebuild = named('torch._tensor', '_rebuild_from_type_v2');
  const nested = `${rebuild}q\x01${'h\x01N'.repeat(50_000)}N${'\x87'.repeat(50_000)}R`;
  // A list that a size was made of, which holds that size afterwards.
  const size = `](${rebuild}Neq\x01${named('torch', 'Size')}h\x01\x85Rq\x020h\x01h\x02a`;
  for (const value of [nested, `${size}0${rebuild}h\x02R`]) {
    await assertUserError(
      openCheckpoint(await put(folder, 'a.pt', state(value))),
      CorruptFileError,
      /a tensor in it has no usable description/,
    );
  }
});

test('dicts that hold each other a hundred times, level over level, are walked once', async t => {
  let value = dict({ t: good });
  for (let level = 0; level < 6; level++) {
    const slot = String.fromCharCode(level + 1);
    const entries = Array.from({ length: 100 }, (_, i) => `${text(`k${i}`)}h${slot}`).join('');
    value = `${value}q${slot}0}(${entries}u`;
  }
  const path = await put(await temporaryFolder(t), 'a.pt', archive(pickle(dict({ model: value }))));
  const found = await openCheckpoint(path);
  assert.deepEqual([...found.tensors.keys()], ['k0.k0.k0.k0.k0.k0.t']);
  await found.close();
});

test('dicts of tensors that nest without end are refused', async t => {
  const value = Array.from({ length: 12 }).reduce<string>(inner => dict({ k: inner }), good);
  const path = await put(await temporaryFolder(t), 'a.pt', archive(pickle(dict({ model: value }))));
  await assertUserError(openCheckpoint(path), CorruptFileError, /nest more than 8 levels deep/);
});

for (const [name, says] of [
  ['../x', /"..\/x" looks like a path/],
  ['', /name "" is empty/],
  ['a\u0007', /control characters/],
  ['__proto__', /reserved by JavaScript/],
  ['a'.repeat(2000), /longer than 1024/],
] as const) {
  test(`a tensor called ${JSON.stringify(name.slice(0, 20))} is refused`, async t => {
    const path = await put(
      await temporaryFolder(t),
      'a.pt',
      archive(pickle(`}(${text(name)}${good}u`)),
    );
    await assertUserError(openCheckpoint(path), CorruptFileError, says);
  });
}
