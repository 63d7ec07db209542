import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growthMethods } from '../../../src/growth/methods';
import { methodTitle, methodTitles } from '../../../src/protocol/methodTitles';

test('every method has the title that lists, legends, receipts and reports show', () => {
  assert.deepEqual(
    Object.entries(methodTitles).sort(),
    growthMethods.map(({ name, title }) => [name, title]).sort(),
  );
  assert.equal(new Set(Object.values(methodTitles)).size, growthMethods.length);
});

test('a method of another version goes by its name', () => {
  for (const name of ['of-tomorrow', 'constructor', '']) assert.equal(methodTitle(name), name);
});
