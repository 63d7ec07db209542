import { CorruptFileError } from '../errors';
import type { ModuleKind, Parameter } from '../architecture';
import { operatorsIn } from './mapping';
import { depthName, operatorsOf, type Growth, type OperatorValues } from './operators';

/** Names inside a layer of the released code's BERT and RoBERTa, by module kind. */
const releasedModules: Readonly<Record<string, ModuleKind>> = {
  'attention.self.query': 'q',
  'attention.self.key': 'k',
  'attention.self.value': 'v',
  'attention.output.dense': 'o',
  'attention.output.LayerNorm': 'ln1',
  'intermediate.dense': 'fc1',
  'output.dense': 'fc2',
  'output.LayerNorm': 'ln2',
};

const layerWidth = /\.layer\.(\d+)\.fuse_width_(query|key|value|ffn)\.coeffs_weight$/;
const layerDepth = /\.layer\.(\d+)\.(.+)\.fuse_depth_coeffs\.coeffs_(weight|bias)$/;
const embeddingWidth = /fuse_width_emb\.coeffs_weight$/;
const headWidth = /fuse_width_cls\.coeffs_weight$/;

/** True when tensor names are those of the released LiGO code (VITA-Group/LiGO). */
export const isReleasedNaming = (names: Iterable<string>): boolean =>
  [...names].some(name => name.includes('.fuse_width_') || name.includes('.fuse_depth_coeffs.'));

/**
 * Operators of the released code under our names: its per-layer depth rows become rows of one depth
 * operator a module kind. Throws CorruptFileError when one is missing or has another shape.
 */
export function fromReleasedNames(growth: Growth, released: OperatorValues): OperatorValues {
  const values: Record<string, Float32Array> = {};
  const rows = new Map<string, Map<number, Float32Array>>();
  for (const [name, data] of Object.entries(released)) {
    const width = layerWidth.exec(name);
    const depth = layerDepth.exec(name);
    if (width) values[`width.${width[2]}.${width[1]}`] = data;
    else if (embeddingWidth.test(name)) values['width.residual'] = data;
    else if (headWidth.test(name)) values['width.head'] = data;
    else if (depth) {
      const kind = releasedModules[depth[2]!];
      if (!kind) continue;
      const operator = depthName(kind, depth[3] as Parameter['part']);
      const known = rows.get(operator) ?? new Map<number, Float32Array>();
      rows.set(operator, known.set(Number(depth[1]), data));
    }
  }
  for (const { name, group, shape } of operatorsOf(growth)) {
    if (group === 'depth') values[name] = joinRows(name, rows.get(name), shape);
  }
  return checkOperators(growth, values);
}

function joinRows(
  name: string,
  rows: ReadonlyMap<number, Float32Array> | undefined,
  [large, small]: readonly [number, number],
): Float32Array {
  const joined = new Float32Array(large * small);
  for (let layer = 0; layer < large; layer++) {
    const row = rows?.get(layer);
    if (row?.length !== small) throw missing(name, `row ${layer} of ${small} coefficients`);
    joined.set(row, layer * small);
  }
  return joined;
}

/**
 * The operators a growth needs and those it may have, each of its shape. Throws CorruptFileError when
 * one is missing or misshapen.
 */
export function checkOperators(growth: Growth, values: OperatorValues): OperatorValues {
  return Object.fromEntries(
    operatorsIn(growth, values).map(({ name, shape }) => {
      const data = values[name];
      if (data?.length !== shape[0] * shape[1]) throw missing(name, `[${shape.join(', ')}] values`);
      return [name, data];
    }),
  );
}

const missing = (name: string, what: string): CorruptFileError =>
  new CorruptFileError(
    `The operator file does not fit this growth: ${name} needs ${what}.`,
    'Use the operators that were learned for the same source and target sizes.',
  );
