import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quoted } from '../../src/checkpoint/names';
import { UserError } from '../../src/errors';
import { harmless } from '../../src/harmless';
import { html } from '../../src/report/markup';
import { warn, type RunContext } from '../../src/run/context';
import type { RunEvent } from '../../src/protocol/events';

/** Every code that turns the direction of text, and some that hide it or steer a terminal. */
const turning = [
  ...[
    0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
  ],
  ...[0x1b, 0x7f, 0x9b, 0x2028, 0x2029, 0x200b, 0xfeff, 0xe0041],
].map(code => String.fromCodePoint(code));

test('characters that turn, hide or steer are shown as escapes that JSON understands', () => {
  for (const character of turning) {
    const shown = harmless(`a${character}b`);
    assert.match(shown, /^a(\\u[0-9a-f]{4}){1,2}b$/);
    assert.equal(JSON.parse(`"${shown}"`), `a${character}b`);
  }
});

test('text of any language stays as it is', () => {
  const text = 'café\tשלום مرحبا 你好 👩‍👩‍👧 می‌خواهم\n';
  assert.equal(harmless(text), text);
});

test('errors, warnings, quoted names and pages show them so', () => {
  const name = 'gpt\u202e2';
  const shown = 'gpt\\u202e2';
  const error = new UserError(`There is no ${name}.`, `Rename ${name}.`);
  assert.equal(error.message, `There is no ${shown}.`);
  assert.equal(error.remedy, `Rename ${shown}.`);
  assert.equal(quoted(name), `"${shown}"`);
  assert.equal(html`<p>${name}</p>`.markup, `<p>${shown}</p>`);
  const events: RunEvent[] = [];
  const context = { emit: (event: RunEvent) => events.push(event), now: () => 0 };
  warn(context as unknown as RunContext, [{ message: name, remedy: name }]);
  assert.deepEqual(events, [{ type: 'warning', message: shown, remedy: shown, time: 0 }]);
});
