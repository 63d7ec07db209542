import { MAX_ELEMENTS, MAX_RANK, elementCount } from '../../tensor';
import type { Failures } from './failures';
import {
  Callable,
  PyDict,
  PyTuple,
  Storage,
  TensorView,
  UnreadTensor,
  type PyValue,
} from './pickle/values';
import { DType } from './types';

const isWhole = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

/** Elements of a storage from the first one of a view to its last. */
function spanOf(shape: readonly number[], strides: readonly number[]): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((span, size, axis) => span + (size - 1) * strides[axis]!, 1);
}

/** The functions by which torch rebuilds tensors, as descriptions of where they lie. */
export function rebuildFunctions(
  fail: Failures,
): ReadonlyMap<string, (args: readonly PyValue[]) => PyValue> {
  const numbers = (value: PyValue | undefined): readonly number[] => {
    const isShort = value instanceof PyTuple && value.items.length <= MAX_RANK;
    if (!isShort || !value.items.every(isWhole)) {
      return fail.corrupt('a tensor in it has no usable shape or strides');
    }
    return value.items;
  };

  const view = (
    [storage, offset, size, stride]: readonly PyValue[],
    dtype?: PyValue,
    metadata?: PyValue,
  ): PyValue => {
    if (!(storage instanceof Storage)) return fail.corrupt('a tensor in it has no storage');
    const type = dtype ?? storage.kind.dtype;
    if (!(type instanceof DType)) return fail.corrupt('a tensor in it has no element type');
    const shape = numbers(size);
    const strides = numbers(stride);
    const count = elementCount(shape);
    const span = isWhole(offset) ? offset + spanOf(shape, strides) : NaN;
    if (
      shape.length !== strides.length ||
      !isWhole(offset) ||
      !(count <= MAX_ELEMENTS) ||
      !(span <= MAX_ELEMENTS)
    ) {
      return fail.corrupt('a tensor in it has no usable shape or strides');
    }
    if (count > 0 && span * type.bytes > storage.bytes) {
      return fail.corrupt(
        `a tensor of shape [${shape.join(', ')}] reaches to byte ${span * type.bytes} of a storage that has ${storage.bytes}`,
      );
    }
    const flags = metadata instanceof PyDict ? metadata : new PyDict();
    if (flags.get('conj') === true || flags.get('neg') === true) {
      return new UnreadTensor('a view of complex numbers with other signs');
    }
    return new TensorView(storage, type, offset, shape, strides);
  };

  const unread = (what: string) => (): PyValue => new UnreadTensor(what);

  const inner = (value: PyValue | undefined): PyValue =>
    value instanceof TensorView || value instanceof UnreadTensor
      ? value
      : fail.corrupt('a parameter in it has no tensor');

  return new Map<string, (args: readonly PyValue[]) => PyValue>([
    ['_rebuild_tensor', args => view(args)],
    ['_rebuild_tensor_v2', args => view(args, undefined, args[6])],
    ['_rebuild_tensor_v3', args => view(args, args[6] ?? null, args[7])],
    ['_rebuild_parameter', ([data]) => inner(data)],
    ['_rebuild_parameter_with_state', ([data]) => inner(data)],
    [
      '_rebuild_device_tensor_from_cpu_tensor',
      ([data, dtype]) => {
        const same = data instanceof TensorView && data.dtype === dtype;
        return same
          ? data
          : new UnreadTensor('a tensor of an accelerator, of another element type');
      },
    ],
    ['_rebuild_qtensor', unread('a quantised tensor (torch._utils._rebuild_qtensor)')],
    ['_rebuild_sparse_tensor', unread('a sparse tensor (torch._utils._rebuild_sparse_tensor)')],
    ['_rebuild_nested_tensor', unread('a nested tensor (torch._utils._rebuild_nested_tensor)')],
    ['_rebuild_meta_tensor_no_storage', unread('a tensor without values (device "meta")')],
    ['_rebuild_wrapper_subclass', unread('a tensor of a class of its own')],
  ]);
}

/**
 * What `torch._tensor._rebuild_from_type_v2` makes: a tensor with attributes, which are left aside. It
 * calls what rebuilds plain tensors, never itself: a pickle can nest such calls without end.
 */
export function rebuildFromType([rebuild, , args]: readonly PyValue[], fail: Failures): PyValue {
  const isPlain = rebuild instanceof Callable && rebuild.name.startsWith('torch._utils.');
  if (!isPlain || !(args instanceof PyTuple)) {
    return fail.corrupt('a tensor in it has no usable description');
  }
  return rebuild.call(args.items);
}
