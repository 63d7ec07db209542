import { openCheckpoint } from '../../checkpoint/checkpoint';
import type { LineSeparator } from '../../data/textSource';
import { describeTokenizer } from '../../data/tokenizer';
import { UsageError } from '../../errors';
import type { SeparatorWord } from '../../protocol/handoff';
import { set } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** What a word for what stands between lines means to a checkpoint's tokenizer. @throws UsageError */
export async function namedSeparator(
  checkpoint: string,
  word: SeparatorWord,
): Promise<LineSeparator> {
  if (word !== 'eos' && word !== 'bos') return word;
  const opened = await openCheckpoint(checkpoint);
  const { special } = await describeTokenizer(opened).finally(() => opened.close());
  const end = word === 'eos' ? (special.eos ?? special.bos) : special.bos;
  if (end !== undefined) return [end];
  throw new UsageError(
    `The tokenizer has no ${word === 'eos' ? 'end' : 'beginning'}-of-text token.`,
    advise`${set('lineSeparator', 'newline')}, or none.`,
  );
}
