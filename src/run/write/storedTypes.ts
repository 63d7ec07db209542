import type { Parameter } from '../../architecture';
import { fromFloat32, toFloat32, type StoredType } from '../../checkpoint/elementTypes';
import type { Model } from '../open/model';
import type { ParameterValues } from './parameterValues';

/** Element type of the source's tensor of the same role (for new layers: of the first layer's). */
export function storedType(
  { architecture, names, checkpoint }: Model,
  parameter: Parameter,
): StoredType {
  const origin = architecture.parameters.find(candidate =>
    parameter.kind
      ? candidate.kind === parameter.kind && candidate.part === parameter.part
      : candidate.id === parameter.id,
  );
  const name = origin && names.get(origin.stored.tensor);
  return (name !== undefined && checkpoint.tensors.get(name)?.type) || 'F32';
}

const rounds = (type: StoredType | undefined): boolean => type === 'F16' || type === 'BF16';

/** Whether what is written of a model is rounded to 16 bits somewhere. */
export const isRounded = ({ names, checkpoint }: Model): boolean =>
  [...names.values()].some(name => rounds(checkpoint.tensors.get(name)?.type));

/** Values as they are read back from what is written of them. */
export const asWritten =
  (source: Model, values: ParameterValues): ParameterValues =>
  async parameter => {
    const type = storedType(source, parameter);
    const computed = await values(parameter);
    return rounds(type) ? toFloat32(fromFloat32(computed, type), type) : computed;
  };
