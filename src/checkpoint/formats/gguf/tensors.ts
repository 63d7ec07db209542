import { contiguous } from '../../layouts/contiguous';
import { quantised } from '../../layouts/quantised';
import type { TensorInfo } from '../../tensor';
import type { PlacedTensor } from './tensorTable';

/** A tensor under its own name, as it lies in the file; what is quantised is read as float32. */
export function asStored(
  { name, kind, shape, bytes, begin }: PlacedTensor,
  file: string,
): TensorInfo {
  const common = { name, shape, file, bytes };
  return 'plain' in kind
    ? { ...common, type: kind.plain, layout: contiguous(kind.plain, begin) }
    : {
        ...common,
        type: 'F32',
        storedAs: kind.blocks.name,
        layout: quantised(kind.blocks, begin, name),
      };
}
