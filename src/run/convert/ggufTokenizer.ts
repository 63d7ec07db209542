import type { Checkpoint } from '../../checkpoint/checkpoint';
import type { Entry } from '../../checkpoint/formats/gguf/write/entries';
import { otherWay } from '../../checkpoint/formats/gguf/write/otherWay';
import { tokenizerEntries } from '../../checkpoint/formats/gguf/write/tokenizer';
import { readJson, readText } from '../../data/jsonFiles';
import { loadTokenizer, type TextTokenizer } from '../../data/tokenizer';
import { UnsupportedError, type Note } from '../../errors';
import type { Companions } from '../write/companions';

/** A tokenizer as metadata. */
interface GgufTokenizer {
  readonly entries: readonly Entry[];
  readonly notes: readonly Note[];
  /** None is copied: all is in the file. */
  readonly companions: Companions;
}

const nothingCopied: Companions = {
  files: [],
  requireSame: async () => undefined,
  notes: async () => [],
};

/** The tokenizer beside a checkpoint, or in it, as metadata. @throws UnsupportedError where it cannot be said */
export async function ggufTokenizer(
  source: Checkpoint,
  vocabulary: number,
): Promise<GgufTokenizer> {
  const json = await readJson(source, 'tokenizer.json');
  if (!json) {
    throw new UnsupportedError(
      `A GGUF file holds a tokenizer, and there is no tokenizer.json in ${source.directory}.`,
      'Copy tokenizer.json and tokenizer_config.json of the checkpoint into its folder.',
    );
  }
  const tokenizer = await loadTokenizer(source);
  await tokenizer.close();
  const { special, aroundIds: around } = tokenizer;
  if (!around) {
    throw new UnsupportedError(
      'The tokenizer puts tokens around a text that it does not have itself.',
      'Take the tokenizer files of the original checkpoint.',
    );
  }
  const { template, left } = await chatTemplateOf(source);
  return {
    entries: tokenizerEntries({ json, special, around, chatTemplate: template, vocabulary }),
    notes: [...notesOnNormalizer(json), ...left],
    companions: nothingCopied,
  };
}

const notesOnNormalizer = (json: Readonly<Record<string, unknown>>): Note[] =>
  (json['normalizer'] as { type?: unknown } | null | undefined)?.type === 'NFC'
    ? [
        {
          message:
            'The tokenizer composes letters and their marks (NFC), which llama.cpp does not: it reads texts that are composed already alike.',
          remedy: 'Nothing to do for usual texts.',
        },
      ]
    : [];

/** The template of chats that is used where none is named; the others are left out, and it is said. */
async function chatTemplateOf(
  source: Checkpoint,
): Promise<{ readonly template: string | undefined; readonly left: readonly Note[] }> {
  const own = await readText(source, 'chat_template.jinja');
  const asked = (await readJson(source, 'tokenizer_config.json'))?.['chat_template'];
  const templates = Array.isArray(asked)
    ? asked.map(one => one as { readonly name?: unknown; readonly template?: unknown })
    : [{ name: 'default', template: asked }];
  const template = own ?? templates.find(({ name }) => name === 'default')?.template;
  const others = templates.filter(({ name }) => name !== 'default').map(({ name }) => String(name));
  return {
    template: typeof template === 'string' ? template : undefined,
    left:
      others.length === 0
        ? []
        : [
            {
              message: `Of the templates of chats only the usual one is in the file, not: ${others.join(', ')}.`,
              remedy: 'Hand another to llama.cpp with --chat-template-file.',
            },
          ],
  };
}

/** Texts in which tokenizers differ: spaces, numbers, lines, contractions, scripts, signs. */
const texts = [
  'In the beginning God created the heaven and the earth.',
  '  two  spaces, 12345 and\n\nlines\t"so" don\'t DON\'T',
  'Ünïcödé 東京 🙂 Привет мир',
  "it's we'll I'VE 1 22 333 4444 x=1;y--2 ...!?\r\n end",
  'def f(x):\n    return x**2  # comment\n',
  ' ',
  'a',
  '   a   ',
];

/** @throws UnsupportedError where the tokenizer of the file gives other tokens than that of the checkpoint */
export async function requireSameTokens(source: Checkpoint, written: Checkpoint): Promise<void> {
  const [own, theirs] = [await loadTokenizer(source), await loadTokenizer(written)];
  try {
    const around = ({ aroundIds }: TextTokenizer): string => JSON.stringify(aroundIds);
    let isSame = around(own) === around(theirs);
    for (const text of texts) {
      const [a, b] = [await own.encode(text), await theirs.encode(text)];
      isSame &&= a.join() === b.join();
    }
    if (isSame) return;
  } finally {
    await own.close();
    await theirs.close();
  }
  throw new UnsupportedError(
    'What the metadata of a GGUF file can say of the tokenizer gives other tokens than its own files.',
    otherWay,
  );
}
