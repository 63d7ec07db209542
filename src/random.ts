/**
 * Purposes that draw random numbers, so that two of them never share a stream by accident. The
 * numbers are part of what a seed means: add at the end, never renumber.
 */
export const randomStreams = {
  textWindows: 1,
  masks: 2,
  imageOrder: 3,
  imageSplit: 4,
  evaluationMasks: 5,
  operatorInitialization: 6,
  unitCopies: 7,
  weightInitialization: 8,
  tokenDrop: 9,
  layerDrop: 10,
  labelledOrder: 11,
  labelledSplit: 12,
} as const;

/** Independent draws of one stream; the same stream always yields the same draws. */
export interface RandomGenerator {
  /** Uniform in [0, 1), 53 random bits. */
  uniform(): number;
  /** Uniform in 0…below − 1; `below` is a positive safe integer, else RangeError. */
  integer(below: number): number;
  /** Standard normal. */
  normal(): number;
  /** Leaves the stream where `count` calls of `normal` would, at a fraction of their cost. */
  skipNormals(count: number): void;
}

/** A bijective scrambler of 32 bits (the finaliser of MurmurHash3), which SplitMix32 is built on. */
function scramble(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

const goldenGamma = 0x9e3779b9;

/** Every bit of every number reaches the hash, so seeds above 2^32 and fractions count too. */
function absorb(numbers: readonly number[]): number {
  const bits = new DataView(new ArrayBuffer(8));
  let hash = scramble(numbers.length + goldenGamma);
  for (const number of numbers) {
    bits.setFloat64(0, number === 0 ? 0 : number); // −0 and 0 are the same seed
    hash = scramble((hash ^ bits.getUint32(0)) + goldenGamma);
    hash = scramble((hash ^ bits.getUint32(4)) + goldenGamma);
  }
  return hash;
}

/**
 * Makes whatever is random a pure function of a seed and of what it is for: a batch is drawn from
 * `randomGenerator(seed, purpose, step)`, whatever was drawn before. SFC32 (Chris Doty-Humphrey's
 * PractRand), its state filled by SplitMix32 over all the numbers; not for secrets.
 */
export function randomGenerator(seed: number, ...stream: number[]): RandomGenerator {
  let splitMix = absorb([seed, ...stream]);
  const seedWord = (): number => {
    splitMix = (splitMix + goldenGamma) >>> 0;
    return scramble(splitMix) | 0;
  };
  let a = seedWord();
  let b = seedWord();
  let c = seedWord();
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  // The generator's own advice: the first rounds still show the seed.
  for (let round = 0; round < 12; round++) next();

  const uniform = (): number => ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 2 ** 53;
  let spare: number | undefined;
  const normal = (): number => {
    if (spare !== undefined) {
      const second = spare;
      spare = undefined;
      return second;
    }
    // Box and Muller; 1 − uniform lies in (0, 1], which the logarithm can take.
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return {
    uniform,
    integer(below) {
      if (!Number.isSafeInteger(below) || below < 1) {
        throw new RangeError(`integer(${below}): the bound must be a positive integer`);
      }
      return Math.floor(uniform() * below);
    },
    normal,
    skipNormals(count) {
      if (count > 0 && spare !== undefined) {
        spare = undefined;
        count -= 1;
      }
      // Two normals take two uniform numbers, of two words each.
      for (let word = 0; word < 4 * Math.floor(count / 2); word++) next();
      if (count % 2 === 1) normal();
    },
  };
}

/** A uniformly drawn order of 0…length − 1 (Fisher and Yates), for epochs and splits. */
export function permutation(length: number, generator: RandomGenerator): Int32Array {
  const order = Int32Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last--) {
    const other = generator.integer(last + 1);
    const moved = order[last]!;
    order[last] = order[other]!;
    order[other] = moved;
  }
  return order;
}
