import {
  depthName,
  entryScale,
  layersWith,
  grows,
  onesName,
  outerScaleName,
  readsSpace,
  readsStreamThroughTable,
  shareName,
  sourceRow,
  sourcesOf,
  spaceSizes,
  widthName,
  type Growth,
  type OperatorValues,
} from '../operators';
import type { Refusal } from '../target';
import type { Copies } from './copies';
import { copyCounts } from './units';

/**
 * Operators of methods that copy: rows of w pick a layer, rows of M pick a unit, and whoever reads a
 * unit takes 1 / (number of its copies) of each (function-preserving initialisation: Net2Net, Chen
 * et al. 2016; bert2BERT, Chen et al. 2022, §3.3), B = [I; S], A = B · diag(1 / counts).
 */
export function copyOperators(growth: Growth, { layers, units: unitsOf }: Copies): OperatorValues {
  const values: Record<string, Float32Array> = {};
  for (const parameter of growth.target.parameters) {
    const { spaces, kind, part } = parameter;
    spaces.forEach((space, axis) => {
      if (!grows(growth, space)) return;
      const size = spaceSizes(growth, space.role).small;
      const units = unitsOf(space);
      values[widthName(space)] ??= oneHot(units.subarray(size), size);
      if (!readsSpace(growth, parameter, axis)) return;
      values[shareName(space)] ??= Float32Array.from(copyCounts(units, size), count => 1 / count);
    });
    const scale = entryScale(growth, parameter);
    if (scale !== 1) values[outerScaleName(parameter)] = Float32Array.of(scale);
    if (!kind || values[depthName(kind, part)]) continue;
    const origins = layersWith(growth.target, parameter).map(layer => layers(layer, parameter));
    const picked = origins.map(origin =>
      typeof origin === 'number' ? sourceRow(growth, parameter, origin) : -1,
    );
    const sources = sourcesOf(growth, parameter).length;
    values[depthName(kind, part)] = oneHot(Int32Array.from(picked), sources);
    if (!origins.includes('ones')) continue;
    values[onesName(kind, part)] = Float32Array.from(origins, origin => Number(origin === 'ones'));
  }
  return values;
}

/** Why a wider model cannot be the same function: its tied table reads the stream that it writes. */
export function tableRefusals(growth: Growth, method: string): readonly Refusal[] {
  const wider = grows(growth, { role: 'residual' });
  if (!wider || !readsStreamThroughTable(growth.target)) return [];
  return [
    {
      reason: `${method} cannot keep a wider model whose word table is its head with no norm between the two: the table would count copied units twice.`,
      remedy: 'Ask for more layers alone, or use another method, such as ligo.',
    },
  ];
}

/** A row for each entry with 1 at the entry's column, [entries, columns]; nothing for −1. */
function oneHot(entries: Int32Array, columns: number): Float32Array {
  const rows = new Float32Array(entries.length * columns);
  entries.forEach((column, row) => {
    if (column >= 0) rows[row * columns + column] = 1;
  });
  return rows;
}
