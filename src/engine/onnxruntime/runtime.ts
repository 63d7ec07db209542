import * as onnxruntime from 'onnxruntime-node';
import type { OnnxRuntime } from './values';

/**
 * The runtime, told to keep to itself before its first session: since 1.29 its builds report sessions
 * and hashes of models to their maker unless ORT_DISABLE_TELEMETRY is set, and its log repeats what
 * reaches us as exceptions.
 */
export function quiet<T extends OnnxRuntime>(runtime: T): T {
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  runtime.env.logLevel = 'fatal';
  return runtime;
}

/** The runtime that is part of this software. */
export const ort = quiet(onnxruntime);
