import type { Layout } from './layout';

/** Stored elements that are held beside the result at a time. */
const SLAB_ELEMENTS = 1 << 20;

type Words = Uint8Array | Uint16Array | Uint32Array | BigUint64Array;

/**
 * A tensor whose axes are stored in another order: `axes` names for each axis of the result the stored
 * one, as numpy.transpose does. Part of it may take most of what is stored to read, but never more
 * memory than the part and a slab.
 * @param stored the elements in the order they lie in, of 1, 2, 4 or 8 bytes
 * @param shape of what is stored
 */
export function permuted(
  stored: Layout,
  elementBytes: number,
  shape: readonly number[],
  axes: readonly number[],
): Layout {
  const storedSteps = stepsOf(shape);
  const resultShape = axes.map(axis => shape[axis]!);
  const resultSteps = stepsOf(resultShape);
  const stepOfAxis = shape.map((_, axis) => resultSteps[axes.indexOf(axis)]!);
  return {
    async read(readBytes, firstElement, count) {
      const out = new Uint8Array(count * elementBytes);
      if (count === 0) return out;
      const words = asWords(out, elementBytes);
      const [from, to] = span(
        indexOf(firstElement, resultShape, resultSteps),
        indexOf(firstElement + count - 1, resultShape, resultSteps),
        resultShape,
        axes.map(axis => storedSteps[axis]!),
      );
      for (let at = from; at < to; at += SLAB_ELEMENTS) {
        const slab = await stored.read(readBytes, at, Math.min(SLAB_ELEMENTS, to - at));
        place(asWords(slab, elementBytes), at, shape, storedSteps, stepOfAxis, words, firstElement);
      }
      return out;
    },
  };
}

/** Elements from one index of an axis to the next, row-major. */
function stepsOf(shape: readonly number[]): number[] {
  const steps = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    steps[axis] = steps[axis + 1]! * shape[axis + 1]!;
  }
  return steps;
}

const indexOf = (
  element: number,
  shape: readonly number[],
  steps: readonly number[],
): readonly number[] => shape.map((size, axis) => Math.floor(element / steps[axis]!) % size);

/** From the first to one past the last place of a store that holds the elements between two indices. */
function span(
  first: readonly number[],
  last: readonly number[],
  shape: readonly number[],
  steps: readonly number[],
): readonly [from: number, to: number] {
  let from = 0;
  let to = 1;
  let alike = true;
  for (let axis = 0; axis < shape.length; axis++) {
    const low: number = alike ? first[axis]! : 0;
    const high: number = alike ? last[axis]! : shape[axis]! - 1;
    from += low * steps[axis]!;
    to += high * steps[axis]!;
    alike = alike && low === high;
  }
  return [from, to];
}

function asWords({ buffer }: Uint8Array, elementBytes: number): Words {
  switch (elementBytes) {
    case 1:
      return new Uint8Array(buffer);
    case 2:
      return new Uint16Array(buffer);
    case 4:
      return new Uint32Array(buffer);
    case 8:
      return new BigUint64Array(buffer);
    default:
      throw new Error(`elements of ${elementBytes} bytes cannot be put into another order`);
  }
}

/** Puts those stored elements that belong to the result where they belong in it. */
function place(
  slab: Words,
  firstStored: number,
  shape: readonly number[],
  storedSteps: readonly number[],
  stepOfAxis: readonly number[],
  out: Words,
  firstElement: number,
): void {
  const width = shape.at(-1) ?? 1;
  const step = stepOfAxis.at(-1) ?? 1;
  for (let done = 0; done < slab.length;) {
    const index = indexOf(firstStored + done, shape, storedSteps);
    let target = -firstElement;
    index.forEach((at, axis) => (target += at * stepOfAxis[axis]!));
    const run = Math.min(slab.length - done, width - (index.at(-1) ?? 0));
    for (let i = done; i < done + run; i++, target += step) {
      if (target >= 0 && target < out.length) out[target] = slab[i]!;
    }
    done += run;
  }
}
