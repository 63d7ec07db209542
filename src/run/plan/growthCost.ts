import {
  aliveBytes,
  countFlops,
  programResults,
  stateBytes,
  tensorBytes,
  topologicalOrder,
} from '../../graph';
import { inPlaceValues } from '../../engine';
import type { FlopCount, Program } from '../../graph';

/** What one run of a program computes, and the most bytes alive meanwhile. */
export interface ProgramCost {
  readonly flops: FlopCount;
  /** Weights, state and whatever a run makes, where state is updated in place. */
  readonly peakBytes: number;
  /** Of these, what is given once and stays as it is. */
  readonly frozenBytes: number;
  /** Of these, parameters and moments. */
  readonly stateBytes: number;
}

/** How many layers of each kind a program has; layers of a kind add the same nodes. */
export type LayerCounts = readonly number[];

/** A cost whose bytes are told apart by where in the program they are alive. */
interface Profile extends FlopCount {
  readonly frozen: number;
  readonly state: number;
  /** Most bytes alive in the forward pass, in each part of the backward pass, and in the update. */
  readonly peaks: readonly number[];
}

/** Deeper programs are counted from shallower ones: building every layer takes time and memory. */
export const deepestBuilt = 24;
/** Layers of a kind in the program that deeper ones are counted from, and how many are added to it. */
const [fewest, added] = [8, 8];

/** Parts of the backward pass whose bytes are told apart. */
const backwardParts = 4;

/** Counts a program that was built. */
export const programCost = (program: Program): ProgramCost => asCost(profile(program));

/**
 * Counts a training program by its layers. Every layer of a kind adds the same nodes, so a deep program
 * is counted from shallow ones: operations grow by the same number with every layer, exactly, and so
 * do the bytes alive at any place of the program, the largest of which lie at few of them (seen within
 * 0.5 %).
 * @param build makes the program with other numbers of layers.
 */
export function costOfLayers(
  layers: LayerCounts,
  build: (layers: LayerCounts) => Program,
): ProgramCost {
  if (layers.reduce((sum, count) => sum + count, 0) <= deepestBuilt) {
    return programCost(build(layers));
  }
  const few = layers.map(count => (count > fewest + added ? fewest : count));
  const base = profile(build(few));
  return asCost(
    layers.reduce((sum, count, kind) => {
      if (count === few[kind]) return sum;
      const more = profile(build(few.with(kind, fewest + added)));
      const times = (count - fewest) / added;
      return combined(sum, combined(more, base, -1), times);
    }, base),
  );
}

/** One profile and another one times a factor. */
const combined = (a: Profile, b: Profile, factor = 1): Profile => ({
  matrix: a.matrix + factor * b.matrix,
  other: a.other + factor * b.other,
  frozen: a.frozen + factor * b.frozen,
  state: a.state + factor * b.state,
  peaks: a.peaks.map((peak, place) => peak + factor * b.peaks[place]!),
});

const asCost = ({ matrix, other, frozen, state, peaks }: Profile): ProgramCost => ({
  flops: { matrix, other },
  peakBytes: Math.max(...peaks),
  frozenBytes: frozen,
  stateBytes: state,
});

function profile(program: Program): Profile {
  const results = programResults(program);
  const order = topologicalOrder(results);
  const alive = aliveBytes(order, results, inPlaceValues(program));
  const { loss, gradientNorm } = program.outputs;
  const endOf = (result: (typeof results)[number] | undefined): number =>
    result ? order.indexOf(result.node) + 1 : 0;
  const [forward, backward] = [endOf(loss), endOf(gradientNorm)];
  const parts = Array.from({ length: backwardParts }, (_, part) =>
    Math.round(forward + ((backward - forward) * part) / backwardParts),
  );
  const places = [0, ...parts, backward, order.length];
  const most = (from: number, to: number): number =>
    alive.slice(from, to).reduce((peak, bytes) => Math.max(peak, bytes), 0);
  return {
    ...countFlops(results),
    frozen: program.frozen.reduce((sum, tensor) => sum + tensorBytes(tensor), 0),
    state: stateBytes(program),
    peaks: places.slice(1).map((end, place) => most(places[place]!, end)),
  };
}
