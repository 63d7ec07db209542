import type { FileContents, Format, FormatFile } from '../format';
import { readHeader } from './header';
import { shownMetadata } from './metadata';
import { asStored } from './tensors';

const MAGIC = [0x47, 0x47, 0x55, 0x46];

/** Files of llama.cpp: metadata, then tensors, many of them quantised in blocks. */
export const gguf: Format = {
  id: 'gguf',
  recognises: head => MAGIC.every((byte, at) => head[at] === byte),
  async open(file: FormatFile): Promise<FileContents> {
    const { values, tensors } = await readHeader(file);
    return {
      metadata: shownMetadata(values),
      tensors: tensors.map(tensor => asStored(tensor, file.file)),
    };
  },
};
