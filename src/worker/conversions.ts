import { formatBytes } from '../format';
import type { ConversionReceipt, ConversionRequest } from '../protocol/conversion';
import type { CallContext } from '../protocol/service';
import { convert } from '../run/convert/convert';

/** Converts a checkpoint, and tells how far it is at every hundredth. */
export function convertShown(
  request: ConversionRequest,
  { signal, progress }: CallContext,
): Promise<ConversionReceipt> {
  let shown = 0;
  return convert(
    {
      signal,
      now: () => Date.now(),
      // Warnings are in the receipt.
      emit: () => undefined,
      engine: () => {
        throw new Error('a conversion computes nothing');
      },
      progress(done, total) {
        const hundredth = Math.floor((100 * done) / Math.max(1, total));
        if (hundredth <= shown) return;
        shown = hundredth;
        progress(`${formatBytes(done)} / ${formatBytes(total)}`);
      },
    },
    request,
  );
}
