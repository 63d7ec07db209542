import type { RunRecord } from '../../../src/host/runs/runRecord';
import { pointsOf } from '../../../src/protocol/curve';

/** Steps that the events of a run told. */
export const stepsOf = ({ state }: RunRecord): readonly number[] =>
  pointsOf(state.curve).map(({ step }) => step);
