import type { FileContents, Format, FormatFile } from '../format';
import { failuresOf } from './failures';
import { bytesOnce, listTensors } from './listTensors';
import { looksLikeOldForm, readOldForm } from './oldForm';
import { findStateDict } from './stateDict';
import { looksLikeTorchZip, readZipForm } from './zipForm';

/**
 * Files of torch.save: a zip archive of a pickle and storages, or before torch 1.6 pickles with the
 * storages behind them. Pickles are read by an allow-list and never run.
 */
export const pytorch: Format = {
  id: 'pytorch',
  recognises: head => looksLikeTorchZip(head) || looksLikeOldForm(head),
  async open(file: FormatFile): Promise<FileContents> {
    const fail = failuresOf(file.file);
    const isZip = looksLikeTorchZip(file.head);
    const content = await (isZip ? readZipForm(file, fail) : readOldForm(file, fail));
    const { tensors, notes, metadata = {}, problem } = findStateDict(content.root, fail);
    const keys = new Set([...tensors.values()].map(({ storage }) => storage.key));
    const places = await content.places(keys);
    return {
      metadata,
      tensors: listTensors(tensors, places, file, fail),
      bytesOnce: bytesOnce(tensors),
      notes: [...content.notes, ...notes],
      problems: problem ? [problem] : [],
    };
  },
};
