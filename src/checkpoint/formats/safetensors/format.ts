import { contiguous } from '../../layouts/contiguous';
import type { FileContents, Format, FormatFile } from '../format';
import { checkHeaderBytes, parseHeader, statedHeaderBytes } from './header';

/** Files of the safetensors library: the length of a header, a header of JSON, the tensors' bytes. */
export const safetensors: Format = {
  id: 'safetensors',
  // A header begins with "{" after the eight bytes of its length, which are never all text.
  recognises: head => head[8] === 0x7b,
  async open({ file, size, head, read }: FormatFile): Promise<FileContents> {
    const headerBytes = statedHeaderBytes(head);
    checkHeaderBytes(headerBytes, size, file);
    const dataBegin = 8 + headerBytes;
    const isWhole = head.byteLength >= dataBegin;
    const header = isWhole ? head.subarray(8, dataBegin) : await read(8, dataBegin);
    const { metadata, tensors } = parseHeader(header, size, file);
    return {
      metadata,
      tensors: tensors.map(({ name, type, shape, begin, end }) => ({
        name,
        type,
        shape,
        file,
        bytes: end - begin,
        layout: contiguous(type, begin),
      })),
    };
  },
};
