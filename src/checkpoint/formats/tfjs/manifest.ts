import { isJsonObject, type JsonObject, type JsonValue } from '../../jsonText';
import { quoted, tensorNameProblem } from '../../names';
import type { StoredType } from '../../elementTypes';
import { elementCount, MAX_ELEMENTS, MAX_RANK, MAX_TENSORS } from '../../tensor';

/** How numbers were packed: `value = stored · scale + min`, or as float16. */
export type Quantization =
  | { readonly dtype: 'uint8' | 'uint16'; readonly scale: number; readonly min: number }
  | { readonly dtype: 'float16' };

/** A tensor as the manifest describes it; text has no element type. */
export interface ManifestWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly count: number;
  readonly type: StoredType | 'text';
  readonly quantization?: Quantization;
}

/** Files that make one run of bytes, and the tensors that lie in it one after the other. */
export interface ManifestGroup {
  readonly paths: readonly string[];
  readonly weights: readonly ManifestWeight[];
}

/** Most files of all groups together. */
const MAX_FILES = 10_000;

const types: ReadonlyMap<JsonValue | undefined, StoredType | 'text'> = new Map<
  JsonValue,
  StoredType | 'text'
>([
  ['float32', 'F32'],
  ['float16', 'F16'],
  ['int32', 'I32'],
  ['uint16', 'U16'],
  ['uint8', 'U8'],
  ['int8', 'I8'],
  ['bool', 'BOOL'],
  ['complex64', 'C64'],
  ['string', 'text'],
]);

type Fail = (what: string) => never;

/** Validates a `weightsManifest`. @param fail throws for what ends a sentence about the file */
export function parseManifest(manifest: JsonValue, fail: Fail): readonly ManifestGroup[] {
  if (!Array.isArray(manifest)) return fail('its weightsManifest is not a list');
  const names = new Set<string>();
  const paths = new Set<string>();
  return (manifest as readonly JsonValue[]).map(group => {
    if (!isJsonObject(group)) return fail('a group of its weightsManifest is not an object');
    const { paths: files, weights } = group;
    if (!isList(files) || !files.every(path => typeof path === 'string')) {
      return fail('a group of its weightsManifest has no list of paths');
    }
    if (!isList(weights)) return fail('a group of its weightsManifest has no list of weights');
    for (const path of files) {
      if (paths.has(path)) fail(`the path ${quoted(path)} stands in it twice`);
      if (paths.add(path).size > MAX_FILES) fail(`it names more than ${MAX_FILES} files`);
    }
    const read = weights.map(weight => {
      const described = readWeight(weight, fail);
      const { name } = described;
      if (names.has(name)) fail(`tensor ${quoted(name)} stands in it twice`);
      if (names.add(name).size > MAX_TENSORS) fail(`it names more than ${MAX_TENSORS} tensors`);
      return described;
    });
    return { paths: files, weights: read };
  });
}

const isList = (value: JsonValue | undefined): value is readonly JsonValue[] =>
  Array.isArray(value);

const isWhole = (value: JsonValue): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

function readWeight(weight: JsonValue, fail: Fail): ManifestWeight {
  if (!isJsonObject(weight)) return fail('a tensor is not described by an object');
  const { name, shape, dtype, quantization } = weight;
  if (typeof name !== 'string') return fail('a tensor has no name');
  const problem = tensorNameProblem(name);
  if (problem !== undefined) fail(`the tensor name ${quoted(name)} ${problem}`);
  const tensor = `tensor ${quoted(name)}`;
  const type = types.get(dtype);
  if (type === undefined) {
    return fail(
      `${tensor} has an unknown element type (${typeof dtype === 'string' ? quoted(dtype) : 'none'})`,
    );
  }
  if (!isList(shape) || shape.length > MAX_RANK || !shape.every(isWhole)) {
    return fail(`${tensor} has no usable shape: at most ${MAX_RANK} whole numbers from 0 up`);
  }
  const count = elementCount(shape);
  if (8 * count > MAX_ELEMENTS) {
    return fail(
      `${tensor} of shape [${shape.join(', ')}] has more elements than any file can hold`,
    );
  }
  const described = { name, shape, count, type };
  if (quantization === undefined) return described;
  if (!isJsonObject(quantization)) return fail(`${tensor} has a quantization that is no object`);
  return { ...described, quantization: readQuantization(quantization, type, tensor, fail) };
}

function readQuantization(
  { dtype, scale, min }: JsonObject,
  type: StoredType | 'text',
  tensor: string,
  fail: Fail,
): Quantization {
  if (dtype === 'float16' && type === 'F32') return { dtype };
  if ((dtype === 'uint8' || dtype === 'uint16') && (type === 'F32' || type === 'I32')) {
    if (typeof scale === 'number' && typeof min === 'number') return { dtype, scale, min };
    return fail(`${tensor} is quantised without a scale and a min`);
  }
  return fail(
    `${tensor} has a quantization that TensorFlow.js does not read (${typeof dtype === 'string' ? quoted(dtype) : 'none'})`,
  );
}
