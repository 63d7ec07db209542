import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { openTokenizer } from '../../../src/data/tokenizer/open';
import { temporaryFolder } from './temporary';

/** How the fixture is made, and what it holds, is told in make.py beside it. */
interface Fixture {
  readonly texts: readonly string[];
  readonly shared: Readonly<Record<string, unknown>>;
  readonly rows: readonly string[];
  readonly cases: readonly {
    readonly name: string;
    readonly files: Readonly<Record<string, Record<string, unknown>>>;
    readonly ids: readonly number[];
  }[];
}

const { texts, shared, rows, cases } = JSON.parse(
  readFileSync(new URL('../../fixtures/tokenizers/ids.json', import.meta.url), 'utf8'),
) as Fixture;

function written(content: Record<string, unknown>): string {
  const { $: name, ...fields } = content;
  if (name === undefined) return JSON.stringify(content);
  const base = shared[String(name)];
  return typeof base === 'string' ? base : JSON.stringify({ ...(base as object), ...fields });
}

describe('the ids of a page of hard text are those of transformers', () => {
  assert.ok(cases.length > 200, `${cases.length} cases`);
  for (const { name, files, ids } of cases) {
    it(name, async () => {
      const folder = temporaryFolder(
        Object.fromEntries(Object.entries(files).map(([file, json]) => [file, written(json)])),
      );
      const tokenizer = await openTokenizer(folder, { set: () => undefined });
      texts.forEach((text, index) => {
        assert.equal(tokenizer.encode(text).join(' '), rows[ids[index]!], JSON.stringify(text));
      });
    });
  }
});

describe('a text that is encoded in pieces has the ids of the whole', () => {
  const begun = cases.filter(({ name }) =>
    /llama|Llama|XLMRoberta|Camembert|add_prefix_space": true/.test(name),
  );
  assert.ok(begun.length > 20, `${begun.length} cases`);
  for (const { name, files } of begun) {
    it(name, async () => {
      const folder = temporaryFolder(
        Object.fromEntries(Object.entries(files).map(([file, json]) => [file, written(json)])),
      );
      const { encode } = await openTokenizer(folder, { set: () => undefined });
      for (const [first, second] of [
        ['the beginning\n', 'and the new one'],
        ['the', ' heaven'],
        ['a\n', 'b </s> c'],
      ] as const) {
        const pieces = [...encode(first), ...encode(second, 'continued')];
        assert.deepEqual(pieces, [...encode(first + second)], JSON.stringify(first + second));
      }
    });
  }
});
