import type { ConversionRequest } from '../../protocol/conversion';
import type { Converting, Written } from './converting';

export async function writeGgufModel(
  converting: Converting,
  request: ConversionRequest,
): Promise<Written> {
  throw new Error(`not yet ${converting.directory} ${request.format}`);
}
