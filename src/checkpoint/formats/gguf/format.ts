import type { FileContents, Format, FormatFile } from '../format';
import { readHeader } from './header';
import { shownMetadata } from './metadata';
import { modelOf } from './model';
import { withAllParts } from './parts';
import { tokenizerFiles } from './tokenizer/tokenizer';

const MAGIC = [0x47, 0x47, 0x55, 0x46];

/** Files of llama.cpp: metadata, then tensors, many of them quantised in blocks. */
export const gguf: Format = {
  id: 'gguf',
  recognises: head => MAGIC.every((byte, at) => head[at] === byte),
  async open(file: FormatFile): Promise<FileContents> {
    const header = await withAllParts(await readHeader(file), file);
    const model = await modelOf(header, file.file, file.read);
    return {
      metadata: shownMetadata(header.values),
      companions: tokenizerFiles(header.values),
      ...model,
    };
  },
};
