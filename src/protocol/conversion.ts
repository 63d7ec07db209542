/** What a checkpoint is converted to. */
export const conversionFormats = ['safetensors', 'gguf'] as const;
export type ConversionFormat = (typeof conversionFormats)[number];

/** How a GGUF file stores matrices; all else is float32 there. */
export const ggufTypes = ['f16', 'q8_0', 'bf16', 'f32'] as const;
export type GgufType = (typeof ggufTypes)[number];

/** A conversion that is asked for. */
export interface ConversionRequest {
  readonly checkpoint: string;
  readonly out: string;
  readonly overwrite?: boolean;
  readonly format: ConversionFormat;
  /** Of a GGUF file. Default f16. */
  readonly outtype?: GgufType;
  /** Most bytes of weights in one safetensors file. */
  readonly maxShardBytes?: number | undefined;
}

/** What was converted: conversion.json beside the result, and where that is. */
export interface ConversionReceipt {
  readonly software: { readonly name: string; readonly version: string };
  readonly created: string;
  readonly source: {
    readonly path: string;
    /** As it was read: `pytorch`, `gguf`, … */
    readonly format: string;
    readonly files: readonly string[];
    readonly sha256: string;
    /** Tokenizer, preprocessor and their like that went with it. */
    readonly companions: readonly { readonly name: string; readonly sha256: string }[];
  };
  readonly out: string;
  readonly format: ConversionFormat;
  readonly outtype?: GgufType;
  readonly tensors: number;
  /** Of all tensors as they were written. */
  readonly bytes: number;
  /** Files of weights. */
  readonly files: readonly string[];
  /** Tensors of the source that are not in the result, with why. */
  readonly leftOut: readonly { readonly name: string; readonly reason: string }[];
  readonly warnings: readonly string[];
}
