import { growMoments, type Copies, type Growth, type ParameterMaker } from '../../growth';
import { readSmallMoments, type OptimizerState } from '../open/optimizerState';
import type { MomentValues } from '../write/optimizerState';

/** Moments of the large model, each made when it is asked for; those of the small one are in memory one kind at a time. */
export function momentGrower(growth: Growth, copies: Copies, state: OptimizerState): MomentValues {
  let made: { readonly moment: string; readonly of: ParameterMaker } | undefined;
  return async (parameter, moment) => {
    if (!parameter.used) return undefined;
    if (made?.moment !== moment) {
      const small = await readSmallMoments(state, growth, moment);
      made = { moment, of: growMoments(growth, copies, small, moment) };
    }
    return made.of(parameter);
  };
}
