import { quoted } from '../../../names';
import type { Failures } from '../failures';
import { bytesOf, type Budget } from './budget';
import type { PickleBytes } from './bytes';
import { literals } from './literals';
import {
  Callable,
  Opaque,
  PyDict,
  PyList,
  PyTuple,
  TensorView,
  UnreadTensor,
  type PyValue,
} from './values';

/** Levels of marks, each of them a list, tuple or dict that is being filled. */
const MAX_MARKS = 1000;

/** What the names and the outside of a pickle mean. */
export interface Meaning {
  /** What a name stands for. @throws UnsupportedError for all that is not on the allow-list */
  global(module: string, name: string): PyValue;
  /** What a persistent id stands for: a storage. @throws CorruptFileError */
  persistent(id: PyValue): PyValue;
}

const STOP = 0x2e;

/**
 * Follows the opcodes of one pickle. It makes plain data and calls functions of ours that an allow-list
 * names; there is nothing in it that could import or run anything else.
 */
export class Machine {
  private readonly stack: PyValue[] = [];
  private readonly marks: number[] = [];
  /** Numbered one after the other, as picklers do. */
  private readonly memo: PyValue[] = [];
  private readonly farMemo = new Map<number, PyValue>();
  /** What opcodes do, by the characters they are known as. */
  private readonly actions: Readonly<Record<string, () => void>> = {
    '\x80': () => this.protocol(this.source.uint8()),
    '\x95': () => void this.source.take(8),
    '(': () => this.mark(),
    '0': () => this.popOrMark(),
    '1': () => void this.popMarked(),
    '2': () => this.push(this.top(), bytesOf.item),
    p: () => this.remember(Number(this.source.line())),
    q: () => this.remember(this.source.uint8()),
    r: () => this.remember(this.source.uint32()),
    '\x94': () => this.remember(this.memo.length + this.farMemo.size),
    g: () => this.recall(Number(this.source.line())),
    h: () => this.recall(this.source.uint8()),
    j: () => this.recall(this.source.uint32()),
    ')': () => this.push(new PyTuple([])),
    '\x85': () => this.tuple(1),
    '\x86': () => this.tuple(2),
    '\x87': () => this.tuple(3),
    t: () => this.push(new PyTuple(this.popMarked())),
    ']': () => this.push(new PyList([])),
    l: () => this.push(new PyList(this.popMarked())),
    a: () => this.append([this.pop()]),
    e: () => this.append(this.popMarked()),
    '}': () => this.push(new PyDict()),
    d: () => this.newDict(this.popMarked()),
    s: () => this.setItem(this.pop()),
    u: () => this.setItems(this.popMarked()),
    '\x8f': () => this.push(new Opaque('builtins.set')),
    '\x90': () => this.append(this.popMarked()),
    '\x91': () => this.frozenSet(),
    c: () => this.global(this.source.line(), this.source.line()),
    '\x93': () => this.global(...this.names()),
    R: () => this.call(this.pop()),
    '\x81': () => this.call(this.pop()),
    '\x92': () => this.callWithKeywords(),
    b: () => this.build(),
    Q: () => this.push(this.meaning.persistent(this.pop()), bytesOf.tensor),
    P: () => this.textId(),
    // Makes an object of a class: its name is looked up, so that a refusal tells of it, and nothing made.
    i: () => this.instance(this.source.line(), this.source.line()),
  };
  private readonly byOpcode = new Map(
    Object.entries(this.actions).map(([character, action]) => [character.charCodeAt(0), action]),
  );

  constructor(
    private readonly source: PickleBytes,
    private readonly meaning: Meaning,
    private readonly budget: Budget,
    private readonly fail: Failures,
  ) {}

  /** The value that the pickle describes. @throws CorruptFileError, UnsupportedError, OutOfBytes */
  run(): PyValue {
    for (;;) {
      this.budget.step();
      const opcode = this.source.uint8();
      if (opcode === STOP) return this.pop();
      const literal = literals.get(opcode);
      if (literal) this.literal(literal(this.source, this.fail));
      else this.follow(opcode);
    }
  }

  private literal(value: PyValue): void {
    if (typeof value === 'string') this.budget.spend(bytesOf.text(value.length));
    else this.budget.spend(Number.isInteger(value) ? bytesOf.small : bytesOf.scalar);
    this.stack.push(value);
  }

  private follow(opcode: number): void {
    const action = this.byOpcode.get(opcode);
    if (action) action();
    else this.refuse(opcode);
  }

  private refuse(opcode: number): never {
    return this.fail.corrupt(
      `its pickle has an opcode that torch.save does not write (0x${opcode.toString(16).padStart(2, '0')})`,
    );
  }

  private protocol(version: number): void {
    if (version > 5) this.fail.corrupt(`its pickle states the unknown protocol ${version}`);
  }

  private push(value: PyValue, bytes: number = bytesOf.container): void {
    this.budget.spend(bytes);
    this.stack.push(value);
  }

  private underflow(): never {
    return this.fail.corrupt('its pickle takes values that it did not make');
  }

  private requireValue(count = 1): void {
    if (this.stack.length - (this.marks.at(-1) ?? 0) < count) this.underflow();
  }

  private top(): PyValue {
    this.requireValue();
    return this.stack.at(-1)!;
  }

  private pop(): PyValue {
    this.requireValue();
    return this.stack.pop()!;
  }

  private mark(): void {
    if (this.marks.length === MAX_MARKS) {
      this.fail.unsupported(
        `its pickle nests more than ${MAX_MARKS} levels deep`,
        'Save the tensors of the model alone: torch.save(model.state_dict(), file).',
      );
    }
    this.marks.push(this.stack.length);
  }

  private popMarked(): PyValue[] {
    const begin = this.marks.pop();
    if (begin === undefined) return this.underflow();
    const items = this.stack.splice(begin);
    this.budget.spend(bytesOf.item * items.length);
    return items;
  }

  private popOrMark(): void {
    if (this.marks.at(-1) === this.stack.length) this.marks.pop();
    else this.pop();
  }

  private tuple(count: number): void {
    this.requireValue(count);
    this.push(new PyTuple(this.stack.splice(this.stack.length - count)));
  }

  private remember(index: number): void {
    if (!Number.isSafeInteger(index) || index < 0) this.underflow();
    const isNear = index <= this.memo.length;
    this.budget.spend(isNear ? bytesOf.memo : bytesOf.farMemo);
    if (isNear) this.memo[index] = this.top();
    else this.farMemo.set(index, this.top());
  }

  private recall(index: number): void {
    const value = index < this.memo.length ? this.memo[index] : this.farMemo.get(index);
    if (value === undefined) return this.underflow();
    this.push(value, bytesOf.item);
  }

  private append(items: readonly PyValue[]): void {
    const target = this.top();
    if (target instanceof Opaque) return;
    if (!(target instanceof PyList)) return this.fail.corrupt('its pickle appends to no list');
    this.budget.spend(bytesOf.item * items.length);
    for (const item of items) target.items.push(item);
  }

  private setItems(items: readonly PyValue[]): void {
    const target = this.top();
    if (items.length % 2 !== 0) this.fail.corrupt('its pickle has a key without a value');
    if (target instanceof Opaque) return;
    if (!(target instanceof PyDict)) return this.fail.corrupt('its pickle sets items of no dict');
    this.budget.spend((bytesOf.entry * items.length) / 2);
    for (let i = 0; i < items.length; i += 2) target.set(items[i]!, items[i + 1]!);
  }

  private newDict(items: readonly PyValue[]): void {
    this.push(new PyDict());
    this.setItems(items);
  }

  private setItem(value: PyValue): void {
    const key = this.pop();
    this.setItems([key, value]);
  }

  private frozenSet(): void {
    this.popMarked();
    this.push(new Opaque('builtins.frozenset'));
  }

  private global(module: string, name: string): void {
    this.push(this.meaning.global(module, name), bytesOf.item);
  }

  /** Of a global, from the stack. */
  private names(): [module: string, name: string] {
    const name = this.pop();
    const module = this.pop();
    return typeof name === 'string' && typeof module === 'string'
      ? [module, name]
      : this.underflow();
  }

  private textId(): never {
    return this.fail.unsupported(
      'it was saved by protocol 0 of pickle, which torch.load does not read either',
      'Save it again without a pickle_protocol.',
    );
  }

  private instance(module: string, name: string): never {
    this.meaning.global(module, name);
    return this.refuse('i'.charCodeAt(0));
  }

  private callWithKeywords(): void {
    this.pop();
    this.call(this.pop());
  }

  /** Of the value on top, with arguments. */
  private call(args: PyValue): void {
    const called = this.pop();
    if (!(called instanceof Callable)) {
      const what = called instanceof Opaque ? ` (${quoted(called.name)})` : '';
      return this.fail.corrupt(`its pickle calls what is no function${what}`);
    }
    if (!(args instanceof PyTuple)) return this.fail.corrupt('its pickle calls without arguments');
    this.push(called.call(args.items), bytesOf.tensor);
  }

  /** Attributes: state dicts have some about versions; those of nothing here are read. */
  private build(): void {
    this.pop();
    const target = this.top();
    const mayHave = [PyDict, Opaque, TensorView, UnreadTensor].some(kind => target instanceof kind);
    if (!mayHave) this.fail.corrupt('its pickle gives attributes to what has none');
  }
}
