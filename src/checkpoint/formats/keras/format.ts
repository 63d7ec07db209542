import { UnsupportedError } from '../../../errors';
import { inflating } from '../../layouts/inflated';
import type { Layout, ReadBytes } from '../../layouts/layout';
import { acrossPieces, inPieces } from '../../layouts/pieces';
import type { FileContents, Format, FormatFile } from '../format';
import { hdf5 } from '../hdf5/format';
import { deflatedPart, firstName, listZip, type ZipFilePart } from '../zipParts';

const WEIGHTS = 'model.weights.h5';
/** Most bytes that deflated weights are inflated to: they are in memory for as long as the model is open. */
const MAX_INFLATED_BYTES = 1 << 28;
/** Bytes of the weights' beginning that tell what they are. */
const HEAD_BYTES = 4096;

/** How the weights lie: their bytes, and a layout within them as one of the whole file. */
interface Weights {
  readonly read: ReadBytes;
  readonly within: (layout: Layout) => Layout;
}

/** Models of Keras 3: a zip archive of settings and of weights as HDF5. */
export const keras: Format = {
  id: 'keras',
  recognises: head =>
    Buffer.from('PK\x03\x04', 'latin1').equals(head.subarray(0, 4)) &&
    /^(?:metadata\.json|config\.json|model\.weights\.h5|assets\/.*)$/.test(firstName(head)),
  async open(opened: FormatFile): Promise<FileContents> {
    const { file } = opened;
    const weights = (await listZip(opened)).find(({ name }) => name === WEIGHTS);
    if (!weights) {
      throw new UnsupportedError(
        `${file} is a zip archive, but none of a model of Keras (it has no ${WEIGHTS}).`,
        'Unpack it if it holds a checkpoint, and open the folder.',
      );
    }
    const { read, within } = await weightsOf(weights, opened);
    const { bytes: size } = weights;
    const head = await read(0, Math.min(size, HEAD_BYTES));
    if (!hdf5.recognises(head, size)) {
      throw new UnsupportedError(
        `${file}: its ${WEIGHTS} is no HDF5 file.`,
        'Save the model anew with the current Keras.',
      );
    }
    const contents = await hdf5.open({ ...opened, size, head, read });
    const tensors = contents.tensors.map(tensor => ({ ...tensor, layout: within(tensor.layout) }));
    return { ...contents, tensors };
  },
};

/** Weights that were stored stay in the file; deflated ones are inflated once. @throws UserError */
async function weightsOf(part: ZipFilePart, { file, read }: FormatFile): Promise<Weights> {
  const { begin, bytes, isDeflated } = part;
  if (!isDeflated) {
    const pieces = [{ begin, bytes }];
    return { read: acrossPieces(pieces, read), within: layout => inPieces(pieces, layout) };
  }
  if (bytes > MAX_INFLATED_BYTES) {
    throw new UnsupportedError(
      `${file}: its ${WEIGHTS} was compressed after Keras wrote it and takes ${bytes} bytes; at most ${MAX_INFLATED_BYTES} are inflated.`,
      `Unpack it and give the path of its ${WEIGHTS}.`,
    );
  }
  const inflated = await inflating(deflatedPart(part, `${file}: its ${WEIGHTS}`), read)(0, bytes);
  const readInflated: ReadBytes = (from, to) => Promise.resolve(inflated.slice(from, to));
  return {
    read: readInflated,
    within: layout => ({
      read: (_, firstElement, count) => layout.read(readInflated, firstElement, count),
    }),
  };
}
