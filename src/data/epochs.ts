import { permutation, randomGenerator } from '../random';

/** Orders of epochs that are kept: a batch touches two, evaluation none. */
const keptEpochs = 2;

/** Which of `count` things comes at each position of a training that shows all of them once an epoch. */
export interface Epochs {
  /** 0…count − 1. */
  at(position: number): number;
  clear(): void;
}

/** Each epoch in an order of its own, which seed, stream and the epoch's number alone decide. */
export function epochs(count: number, seed: number, stream: number): Epochs {
  const orders = new Map<number, Int32Array>();
  const orderOf = (epoch: number): Int32Array => {
    const known = orders.get(epoch);
    if (known) return known;
    const order = permutation(count, randomGenerator(seed, stream, epoch));
    for (const oldest of orders.keys()) {
      if (orders.size < keptEpochs) break;
      orders.delete(oldest);
    }
    orders.set(epoch, order);
    return order;
  };
  return {
    at: position => orderOf(Math.floor(position / count))[position % count]!,
    clear: () => orders.clear(),
  };
}
