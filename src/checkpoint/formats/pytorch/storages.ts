import { quoted } from '../../names';
import type { Failures } from './failures';
import { PyTuple, Storage, type PyValue } from './pickle/values';
import { StorageKind } from './types';

const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

/** The storages that the persistent ids of a pickle name. */
export class Storages {
  private readonly whole = new Map<string, Storage>();

  constructor(private readonly fail: Failures) {}

  /** By key, as the pickle states them. */
  get all(): ReadonlyMap<string, Storage> {
    return this.whole;
  }

  /**
   * The storage of an id: the word "storage", a class, a key, a device, a count of elements; in the old
   * form also a part of it. @throws CorruptFileError
   */
  named(id: PyValue): Storage {
    const [word, kind, name, , count, part] = id instanceof PyTuple ? id.items : [];
    const key = typeof name === 'number' ? String(name) : name;
    const isUsable = word === 'storage' && kind instanceof StorageKind && isCount(count);
    if (!isUsable || typeof key !== 'string') {
      return this.fail.corrupt('its pickle names something outside of it that is no storage');
    }
    const known = this.whole.get(key);
    if (known && (known.kind !== kind || known.count !== count)) {
      return this.fail.corrupt(`its storage ${quoted(key)} is described in two ways`);
    }
    const storage = known ?? new Storage(key, kind, count);
    this.whole.set(key, storage);
    return part === undefined || part === null ? storage : this.part(storage, part);
  }

  private part(of: Storage, part: PyValue): Storage {
    const [, begin, count] = part instanceof PyTuple ? part.items : [];
    if (!isCount(begin) || !isCount(count) || begin + count > of.count) {
      return this.fail.corrupt(`a part of its storage ${quoted(of.key)} lies outside of it`);
    }
    return new Storage(of.key, of.kind, count, begin);
  }
}
