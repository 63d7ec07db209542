import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byteSize, finiteNumber, oneOf, wholeNumber } from '../../../src/cli/values';
import { UsageError } from '../../../src/errors';
import { remedyText } from '../../support/remedyText';

const refuses = (parse: (text: string) => unknown, texts: readonly string[]): void => {
  for (const text of texts) {
    assert.throws(
      () => parse(text),
      (error: unknown) =>
        error instanceof UsageError &&
        error.message.startsWith('--option is ') &&
        remedyText(error.remedy).startsWith('Give --option '),
      JSON.stringify(text),
    );
  }
};

describe('values of options', () => {
  it('reads whole numbers, from the least on', () => {
    const parse = wholeNumber('--option', 1);
    assert.equal(parse('1'), 1);
    assert.equal(parse('768'), 768);
    refuses(parse, ['0', '-1', '1.5', '1e3', '', ' 7', '0x10', 'NaN', '9007199254740993']);
  });

  it('reads finite numbers', () => {
    const positive = finiteNumber('--option', { positive: true });
    assert.equal(positive('1e-3'), 0.001);
    assert.equal(positive('1e30'), 1e30);
    refuses(positive, ['0', '-1', 'NaN', 'Infinity', '1e999', '', ' ', 'much']);
    assert.equal(finiteNumber('--option', { positive: false })('0'), 0);
  });

  it('reads sizes in bytes, in decimal and in binary units', () => {
    const parse = byteSize('--option');
    const sizes = {
      '500MB': 5e8,
      '5GB': 5e9,
      '1.5 kB': 1500,
      '1GiB': 2 ** 30,
      '1234': 1234,
      '7B': 7,
    };
    for (const [text, bytes] of Object.entries(sizes)) assert.equal(parse(text), bytes, text);
    refuses(parse, ['0', '-5GB', 'GB', '5 elephants', '1e9', '0.1B', '', '9999999TB']);
  });

  it('reads one of a few words', () => {
    const parse = oneOf('--option', ['cpu', 'auto']);
    assert.equal(parse('cpu'), 'cpu');
    refuses(parse, ['CPU', '', 'gpu']);
  });
});
