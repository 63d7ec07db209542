import type { Architecture, Parameter } from '../../architecture';

/** Gives the values of one logical parameter when its turn comes. */
export type ParameterValues = (parameter: Parameter) => Promise<Float32Array>;

/** The same values, but none of them once the signal aborts. */
export const untilAborted =
  (signal: AbortSignal, values: ParameterValues): ParameterValues =>
  async parameter => {
    signal.throwIfAborted();
    return values(parameter);
  };

/** All values by id, of parameters that the objective reads; with `unused`, of the others too. */
export async function valuesById(
  { parameters }: Architecture,
  values: ParameterValues,
  { unused = false }: { readonly unused?: boolean } = {},
): Promise<Record<string, Float32Array>> {
  const byId: Record<string, Float32Array> = {};
  for (const parameter of parameters) {
    if (parameter.used || unused) byId[parameter.id] = await values(parameter);
  }
  return byId;
}
