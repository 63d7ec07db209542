import { CorruptFileError } from '../../../errors';
import { bytesPerElement } from '../../elementTypes';
import { permuted } from '../../layouts/permuted';
import { quoted, tensorNameProblem } from '../../names';
import type { TensorInfo } from '../../tensor';

/** How another framework's classes of transformers call and turn what PyTorch's classes have. */
export interface Renaming {
  /** What is in some of the names of a file that was written by those classes. */
  readonly mark: RegExp;
  /** What is replaced in each name, one after the other. */
  readonly replaced: readonly (readonly [RegExp, string])[];
  /** Tensors, by their names in the file, whose axes stand the other way round. */
  readonly turned: RegExp;
  /** Vectors, by their names in the file, that may be stored as matrices of one row. */
  readonly vectors?: RegExp;
}

/** Axes of a kernel, [in, out] or [height, width, in, out], in PyTorch's order. */
const turnedAxes = (rank: number): number[] =>
  rank === 4 ? [3, 2, 0, 1] : Array.from({ length: rank }, (_, axis) => rank - 1 - axis);

function turned(tensor: TensorInfo): TensorInfo {
  const { type, shape, layout } = tensor;
  if (shape.length < 2) return tensor;
  const axes = turnedAxes(shape.length);
  return {
    ...tensor,
    shape: axes.map(axis => shape[axis]!),
    layout: permuted(layout, bytesPerElement(type), shape, axes),
  };
}

/**
 * The tensors under the names and in the orientation of PyTorch's classes where a file's names show that
 * it was written by the classes of a table, else as they are. @throws CorruptFileError
 */
export function renamed(
  tensors: readonly TensorInfo[],
  { mark, replaced, turned: isTurned, vectors }: Renaming,
): readonly TensorInfo[] {
  if (!tensors.some(({ name }) => mark.test(name))) return tensors;
  const seen = new Map<string, string>();
  return tensors.map(stored => {
    let { name } = stored;
    for (const [pattern, by] of replaced) name = name.replace(pattern, by);
    const problem = tensorNameProblem(name);
    const other = seen.get(name);
    if (problem !== undefined || other !== undefined) {
      const what = problem ?? `is also that of ${quoted(other!)}`;
      throw new CorruptFileError(
        `${stored.file}: what PyTorch calls tensor ${quoted(stored.name)}, ${quoted(name)}, ${what}.`,
        'Save the model anew with transformers.',
      );
    }
    seen.set(name, stored.name);
    const tensor = isTurned.test(stored.name) ? turned(stored) : stored;
    const { shape } = tensor;
    const isRow = vectors?.test(stored.name) === true && shape.length === 2 && shape[0] === 1;
    return { ...tensor, name, shape: isRow ? shape.slice(1) : shape };
  });
}
