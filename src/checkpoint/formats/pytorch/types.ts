import type { StoredType } from '../../elementTypes';

/** An element type as torch calls it. */
export class DType {
  constructor(
    readonly name: string,
    /** Bytes of one element in a storage. */
    readonly bytes: number,
    /** What it is called here; absent for types that are not read. */
    readonly type?: StoredType,
    /** Values in one element. */
    readonly packed: 1 | 2 = 1,
  ) {}
}

const dtypes = [
  new DType('float64', 8, 'F64'),
  new DType('float32', 4, 'F32'),
  new DType('float16', 2, 'F16'),
  new DType('bfloat16', 2, 'BF16'),
  new DType('int64', 8, 'I64'),
  new DType('int32', 4, 'I32'),
  new DType('int16', 2, 'I16'),
  new DType('int8', 1, 'I8'),
  new DType('uint64', 8, 'U64'),
  new DType('uint32', 4, 'U32'),
  new DType('uint16', 2, 'U16'),
  new DType('uint8', 1, 'U8'),
  new DType('bool', 1, 'BOOL'),
  new DType('float8_e5m2', 1, 'F8_E5M2'),
  new DType('float8_e4m3fn', 1, 'F8_E4M3'),
  new DType('float8_e5m2fnuz', 1, 'F8_E5M2FNUZ'),
  new DType('float8_e4m3fnuz', 1, 'F8_E4M3FNUZ'),
  new DType('float8_e8m0fnu', 1, 'F8_E8M0'),
  new DType('float4_e2m1fn_x2', 1, 'F4', 2),
  new DType('complex64', 8, 'C64'),
  new DType('complex128', 16),
  new DType('complex32', 4),
  new DType('qint8', 1),
  new DType('qint32', 4),
  new DType('quint8', 1),
  new DType('quint4x2', 1),
  new DType('quint2x4', 1),
  new DType('bits8', 1),
  new DType('bits16', 2),
  new DType('bits1x8', 1),
  new DType('bits2x4', 1),
  new DType('bits4x2', 1),
] as const;

const dtypeNamed: ReadonlyMap<string, DType> = new Map(dtypes.map(dtype => [dtype.name, dtype]));

/** What torch calls some types besides. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['double', 'float64'],
  ['float', 'float32'],
  ['half', 'float16'],
  ['long', 'int64'],
  ['int', 'int32'],
  ['short', 'int16'],
  ['cfloat', 'complex64'],
  ['cdouble', 'complex128'],
]);

/** The element type of a name in the module torch. */
export const dtypeOf = (name: string): DType | undefined =>
  dtypeNamed.get(aliases.get(name) ?? name);

/** A class of storages: elements of one type, or bytes. */
export class StorageKind {
  constructor(
    readonly name: string,
    readonly dtype: DType,
  ) {}
}

const storageKinds: ReadonlyMap<string, StorageKind> = new Map(
  Object.entries({
    DoubleStorage: 'float64',
    FloatStorage: 'float32',
    HalfStorage: 'float16',
    BFloat16Storage: 'bfloat16',
    LongStorage: 'int64',
    IntStorage: 'int32',
    ShortStorage: 'int16',
    CharStorage: 'int8',
    ByteStorage: 'uint8',
    BoolStorage: 'bool',
    ComplexDoubleStorage: 'complex128',
    ComplexFloatStorage: 'complex64',
    QInt8Storage: 'qint8',
    QInt32Storage: 'qint32',
    QUInt8Storage: 'quint8',
    QUInt4x2Storage: 'quint4x2',
    QUInt2x4Storage: 'quint2x4',
    UntypedStorage: 'uint8',
  }).map(([name, dtype]) => [name, new StorageKind(name, dtypeNamed.get(dtype)!)]),
);

/** The class of storages of a name in the modules torch, torch.cuda and torch.storage. */
export const storageKindOf = (name: string): StorageKind | undefined => storageKinds.get(name);
