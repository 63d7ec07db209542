import type { Parameter } from '../architecture';
import type { SmallValues } from './growParameter';
import type { Copies } from './methods/copies';
import type { LayerMap } from './methods/layers';
import { filled, smallMatrix, type Matrix } from './methods/matrix';
import type { ParameterMaker } from './methods/method';
import { copyCounts, entriesOf } from './methods/units';
import { axisSizes, entryScale, grows, readsSpace, type Growth } from './operators';

/** A running mean of gradients, or of their squares (Adam's m and v). */
export type Moment = 'exp_avg' | 'exp_avg_sq';

/** Which small entry each large entry of an axis repeats, and its part of that entry's gradient. */
interface CopiedAxis {
  readonly entries: Int32Array;
  readonly part: (entry: number) => number;
}

/**
 * Moments of the large model where its weights are copies. Copying shares out what is *read*: each of c
 * copies of a unit is read at 1 / c. So the loss depends on what *writes* each of them by 1 / c, and on
 * what reads them as before: gradients are shared out the other way round. That is exact where the
 * function is kept. Entries that are nobody's copies begin at zero, as Adam does.
 */
export function growMoments(
  growth: Growth,
  copies: Copies,
  small: SmallValues,
  moment: Moment,
): ParameterMaker {
  const power = moment === 'exp_avg' ? 1 : 2;
  return parameter => {
    const matrixOf = (layers: LayerMap): Matrix | undefined => {
      const { layer } = parameter;
      const origin = layer === undefined ? 0 : layers(layer, parameter);
      return typeof origin === 'number' ? smallMatrix(growth, small, parameter, origin) : undefined;
    };
    const own = matrixOf(copies.layersOfGradients ?? copies.layers);
    const next = copies.layersOfNewRows ? matrixOf(copies.layersOfNewRows) : own;
    if (!own || !next) return filled(parameter, () => 0);
    const [rows, columns] = [0, 1].map(axis => copiedAxis(growth, copies, parameter, axis));
    const scale = 1 / entryScale(growth, parameter);
    return filled(parameter, (row, column) => {
      const [from, at] = [rows!.entries[row]!, columns!.entries[column]!];
      if (from < 0 || at < 0) return 0;
      const { values } = row < own.rows ? own : next;
      const part = scale * rows!.part(from) * columns!.part(at);
      return values[from * own.columns + at]! * part ** power;
    });
  };
}

const wholeAxis: CopiedAxis = { entries: Int32Array.of(0), part: () => 1 };

function copiedAxis(
  growth: Growth,
  copies: Copies,
  parameter: Parameter,
  axis: number,
): CopiedAxis {
  const space = parameter.spaces[axis];
  if (!space) return wholeAxis;
  const { small, large } = axisSizes(growth, space);
  if (!grows(growth, space)) {
    return { entries: Int32Array.from({ length: large }, (_, entry) => entry), part: () => 1 };
  }
  const entries = entriesOf(copies.units(space), space);
  if (readsSpace(growth, parameter, axis)) return { entries, part: () => 1 };
  const counts = copyCounts(
    entries.filter(entry => entry >= 0),
    small,
  );
  return { entries, part: entry => 1 / counts[entry]! };
}
