import type { FileContents, Format, FormatFile } from '../format';
import { UnsupportedError } from '../../../errors';
import { readHeader, type GgufHeader } from './header';
import { shownMetadata } from './metadata';
import { modelOf } from './model';
import { tokenizerFiles } from './tokenizer/tokenizer';

const MAGIC = [0x47, 0x47, 0x55, 0x46];

/** Files of llama.cpp: metadata, then tensors, many of them quantised in blocks. */
export const gguf: Format = {
  id: 'gguf',
  recognises: head => MAGIC.every((byte, at) => head[at] === byte),
  async open(file: FormatFile): Promise<FileContents> {
    const header = await readHeader(file);
    refuseShard(header, file.file);
    const model = await modelOf(header, file.file, file.read);
    return {
      metadata: shownMetadata(header.values),
      companions: tokenizerFiles(header.values),
      ...model,
    };
  },
};

/** @throws UnsupportedError for one of several files that a model was split into */
function refuseShard({ values }: GgufHeader, file: string): void {
  const count = values.get('split.count');
  if (typeof count !== 'number' || count <= 1) return;
  throw new UnsupportedError(
    `${file} is one of the ${count} files that a model was split into.`,
    'Merge them first: llama-gguf-split --merge, with the first of them and a name for the whole.',
  );
}
