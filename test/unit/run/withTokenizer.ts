import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { example, fixture } from '../../support/fixtures';
import { temporaryFolder } from './support';

/** Fields of a config.json. */
export type Changes = Readonly<Record<string, unknown>>;

/** A tokenizer of bytes alone: small enough for every fixture. */
const tokenizerJson = (): string => {
  const whole = JSON.parse(readFileSync(join(example('gpt2-kjv'), 'tokenizer.json'), 'utf8')) as {
    model: { vocab: Record<string, number>; merges: unknown[] };
  };
  const vocab = Object.entries(whole.model.vocab).filter(([, id]) => id < 300);
  const known = new Set(vocab.map(([token]) => token));
  whole.model.vocab = Object.fromEntries(vocab);
  whole.model.merges = whole.model.merges.filter(merge => {
    const [left, right] = typeof merge === 'string' ? merge.split(' ') : (merge as string[]);
    return known.has(left! + right!);
  });
  return JSON.stringify(whole);
};

/** A fixture of transformers with a tokenizer beside it. */
export function withTokenizer(name: string, changes: Changes = {}): string {
  const folder = join(temporaryFolder(), name);
  cpSync(fixture(`hf/${name}`), folder, { recursive: true });
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...changes }));
  writeFileSync(join(folder, 'tokenizer.json'), tokenizerJson());
  cpSync(join(example('gpt2-kjv'), 'tokenizer_config.json'), join(folder, 'tokenizer_config.json'));
  return folder;
}
