import type { ReadBytes } from '../../layouts/layout';
import { MAX_RANK, MAX_TENSORS } from '../../tensor';
import { WireReader, type Field } from './wire';

/** A tensor that a graph holds, as the file describes it (TensorProto of onnx.proto). */
export interface Initializer {
  readonly name: string;
  readonly dataType: number;
  readonly shape: readonly number[];
  /** Where its values lie in the file, by the field that has them. */
  readonly data?: Field;
  /** Where they lie in another file: `location`, `offset`, `length`. */
  readonly external?: ReadonlyMap<string, string>;
}

/** What a model file says of itself. */
export interface Model {
  readonly producer: string;
  /** Undefined where there is no graph: the file is of another kind. */
  readonly initializers: readonly Initializer[] | undefined;
  /** Tensors that are stored by their values other than 0. */
  readonly sparse: number;
  /** Numbers of the fields of the file itself. */
  readonly fields: ReadonlySet<number>;
}

/** Fields by message, as onnx.proto numbers them. */
const MODEL = { producerName: 2, graph: 7 };
const GRAPH = { initializer: 5, sparseInitializer: 15 };
const TENSOR = { dims: 1, dataType: 2, name: 8, externalData: 13 };
const ENTRY = { key: 1, value: 2 };
/** Fields of a tensor that hold numbers: floats, whole ones, bytes. */
const dataFields = new Set([4, 5, 7, 9, 10, 11]);

/** Reads what a model tells of its tensors, no values. @throws Error that ends "it cannot be used: …" */
export async function readModel(read: ReadBytes, size: number): Promise<Model> {
  const reader = new WireReader(read, size);
  const fields = new Set<number>();
  const graphs: Field[] = [];
  let producer = '';
  await eachField(reader, { begin: 0, end: size }, field => {
    fields.add(field.number);
    if (field.number === MODEL.graph && field.isBytes) graphs.push(field);
    const isText = field.number === MODEL.producerName && field.isBytes;
    if (isText && field.end - field.begin < 256) producer = reader.text(field);
  });
  const [graph, second] = graphs;
  if (second !== undefined) throw new Error('it has two graphs');
  if (graph === undefined) return { producer, initializers: undefined, sparse: 0, fields };
  const places: Field[] = [];
  let sparse = 0;
  await eachField(reader, graph, field => {
    if (field.number === GRAPH.initializer && field.isBytes) places.push(field);
    if (field.number === GRAPH.sparseInitializer) sparse++;
    if (places.length > MAX_TENSORS) throw new Error(`it holds more than ${MAX_TENSORS} tensors`);
  });
  const initializers: Initializer[] = [];
  for (const place of places) initializers.push(await readInitializer(reader, place));
  return { producer, initializers, sparse, fields };
}

async function eachField(
  reader: WireReader,
  { begin, end }: Pick<Field, 'begin' | 'end'>,
  visit: (field: Field) => void,
): Promise<void> {
  reader.at = begin;
  while (reader.at < end) {
    if (reader.isShort) await reader.readOn();
    visit(reader.field(end));
  }
}

async function readInitializer(reader: WireReader, place: Field): Promise<Initializer> {
  let name = '';
  let dataType = 0;
  let data: Field | undefined;
  const shape: number[] = [];
  const entries: Field[] = [];
  await eachField(reader, place, field => {
    const { number, isBytes, value } = field;
    if (number === TENSOR.name && isBytes) name = reader.text(field);
    else if (number === TENSOR.dataType) dataType = value;
    else if (number === TENSOR.externalData && isBytes) entries.push(field);
    else if (dataFields.has(number)) data = joined(data, field);
    else if (number === TENSOR.dims && !isBytes) shape.push(value);
    else if (number === TENSOR.dims) shape.push(...packedSizes(reader, field));
    if (shape.length > MAX_RANK) throw new Error(`a tensor in it has more than ${MAX_RANK} axes`);
    if (entries.length > 16) throw new Error('a tensor in it has too many places');
  });
  const external = new Map<string, string>();
  for (const entry of entries) {
    const [key, value] = await readEntry(reader, entry);
    external.set(key, value);
  }
  return {
    name,
    dataType,
    shape,
    ...(data && { data }),
    ...(external.size > 0 && { external }),
  };
}

/** Values may stand in one field alone: those of several would have to be put together. */
function joined(data: Field | undefined, field: Field): Field {
  if (data !== undefined || !field.isBytes) {
    throw new Error('a tensor in it has its values one by one rather than in one run of bytes');
  }
  return field;
}

/** Sizes that stand in one run of bytes. */
function packedSizes(reader: WireReader, { begin, end }: Field): number[] {
  if (end - begin > 10 * MAX_RANK) throw new Error(`a tensor in it has more than ${MAX_RANK} axes`);
  const sizes: number[] = [];
  reader.at = begin;
  while (reader.at < end) sizes.push(reader.varint());
  if (reader.at !== end) throw new Error('the sizes of a tensor in it are not whole');
  return sizes;
}

async function readEntry(reader: WireReader, entry: Field): Promise<[string, string]> {
  let [key, value] = ['', ''];
  await eachField(reader, entry, field => {
    if (field.number === ENTRY.key && field.isBytes) key = reader.text(field);
    if (field.number === ENTRY.value && field.isBytes) value = reader.text(field);
  });
  return [key, value];
}
