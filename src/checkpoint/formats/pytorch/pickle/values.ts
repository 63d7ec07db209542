import type { DType, StorageKind } from '../types';

/** What a pickle can describe here: plain data, tensors by where they lie, and inert rests. */
export type PyValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PyTuple
  | PyList
  | PyDict
  | Opaque
  | Callable
  | DType
  | StorageKind
  | Storage
  | TensorView
  | UnreadTensor;

export class PyTuple {
  constructor(readonly items: readonly PyValue[]) {}
}

export class PyList {
  constructor(readonly items: PyValue[]) {}
}

export class PyDict {
  private map: Map<PyValue, PyValue> | undefined;

  get entries(): ReadonlyMap<PyValue, PyValue> {
    return this.map ?? nothing;
  }

  get(key: string): PyValue | undefined {
    return this.map?.get(key);
  }

  /** Keys that are objects are told apart by identity, which is enough to list them. */
  set(key: PyValue, value: PyValue): void {
    this.map ??= new Map();
    this.map.set(key, value);
  }
}

const nothing: ReadonlyMap<PyValue, PyValue> = new Map();

/** An object whose kind is known to be harmless and whose content nobody needs. */
export class Opaque {
  constructor(readonly name: string) {}
}

/** A name of the allow-list; what calling it means is a function of ours, never Python's. */
export class Callable {
  constructor(
    readonly name: string,
    readonly call: (args: readonly PyValue[]) => PyValue,
  ) {}
}

/** A storage: a run of elements in the file. */
export class Storage {
  constructor(
    readonly key: string,
    readonly kind: StorageKind,
    /** Elements of its kind. */
    readonly count: number,
    /** Elements before it in the storage of the same key, where it is a part of that. */
    readonly begin = 0,
  ) {}

  get bytes(): number {
    return this.count * this.kind.dtype.bytes;
  }
}

/** A tensor: a view of a storage. */
export class TensorView {
  constructor(
    readonly storage: Storage,
    readonly dtype: DType,
    /** Elements of its type before its first one. */
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** A tensor that cannot be read here. */
export class UnreadTensor {
  /** @param what it is, with an article */
  constructor(readonly what: string) {}
}
