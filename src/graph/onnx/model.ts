import { encodeModel, type ModelProto } from './schema';

/** ONNX opset the operators' forms follow. */
const opsetVersion = 20;
/** IR version that goes with that opset. */
const irVersion = 9;

/** The bytes of a `.onnx` file that holds one graph. */
export const encodeGraph = (graph: ModelProto['graph']): Uint8Array =>
  encodeModel({
    irVersion,
    producerName: 'ligo-grow',
    opsetImport: [{ domain: '', version: opsetVersion }],
    graph,
  });
