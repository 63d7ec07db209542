/** Whether all values are numbers, and none of them infinite. */
export function allFinite(values: Float32Array | Float64Array | Int32Array): boolean {
  // A loop takes a fifth of the time of `every`; models have hundreds of millions of values.
  for (let index = 0; index < values.length; index++) {
    if (!Number.isFinite(values[index])) return false;
  }
  return true;
}
