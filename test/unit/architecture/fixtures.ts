import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  extractParameter,
  recognizeArchitecture,
  type Architecture,
  type Dimensions,
  type ModelConfig,
  type Parameter,
  type Recognition,
} from '../../../src/architecture';
import { readSafetensors, type FixtureTensor } from '../../support/safetensors';

/** The families with a Hugging Face fixture. */
export const familyNames = [
  'bert',
  'roberta',
  'gpt2',
  'vit',
  'deit',
  'llama',
  'llama3',
  'mistral',
  'qwen2',
  'qwen3',
  'phi3',
  'granite',
  'starcoder2',
  'smollm3',
  'gpt_neox',
  'gemma',
  'gemma2',
  'gemma3',
  'olmo2',
  'distilbert',
  'electra',
  'opt',
  'timm-vit',
  'timm-vit-registers',
  'timm-cait',
] as const;

/**
 * These, and those that have fewer sizes to choose from: DINOv2's feed-forward size is a whole multiple, and
 * ModernBERT's layers come in threes, the first without a norm.
 */
export const fixtureNames = [...familyNames, 'dinov2', 'modernbert'] as const;
export type FamilyName = (typeof fixtureNames)[number];

/** Those that rotate heads. */
export const decoderNames = [
  'llama',
  'granite',
  'llama3',
  'mistral',
  'qwen2',
  'qwen3',
  'phi3',
  'starcoder2',
  'smollm3',
  'gpt_neox',
  'gemma',
  'gemma2',
  'gemma3',
  'olmo2',
] as const satisfies readonly FamilyName[];

/** True for families that rotate heads. */
export const isDecoder = (family: string): boolean =>
  decoderNames.some(decoder => decoder === family);

/** Sizes as a family has them: by twos, decoders' heads share the keys and values of one. */
export function sizesFor({ dimensions }: Architecture, sizes: Dimensions): Dimensions {
  if (dimensions.numKeyValueHeads === undefined || sizes.numKeyValueHeads !== undefined) {
    return sizes;
  }
  const heads = 2 * sizes.numAttentionHeads;
  return {
    ...sizes,
    numAttentionHeads: heads,
    numKeyValueHeads: sizes.numAttentionHeads,
    ...(dimensions.headDim !== undefined && { headDim: sizes.hiddenSize / heads }),
  };
}

const root = fileURLToPath(new URL('../../fixtures/hf/', import.meta.url));

/** A fixture checkpoint, recognised. */
export interface Fixture {
  readonly config: ModelConfig;
  readonly tensors: Map<string, FixtureTensor>;
  readonly recognition: Recognition;
}

/** config.json of a fixture. */
export const readConfig = (family: FamilyName): Record<string, unknown> =>
  JSON.parse(readFileSync(`${root}${family}/config.json`, 'utf8')) as Record<string, unknown>;

/** Tensors of a fixture's model. */
export const readModel = (family: FamilyName): Map<string, FixtureTensor> =>
  readSafetensors(`${root}${family}/model.safetensors`);

/** What transformers computed for a fixture: `in.*`, `out.*`, `grad.*`. */
export const readGolden = (family: FamilyName): Map<string, FixtureTensor> =>
  readSafetensors(`${root}${family}/golden.safetensors`);

export function readFixture(family: FamilyName): Fixture {
  const config = readConfig(family);
  const tensors = readModel(family);
  return { config, tensors, recognition: recognizeArchitecture(config, tensors) };
}

/** Only the shapes, for tests that never look at values. */
export const shapesOf = (
  tensors: ReadonlyMap<string, FixtureTensor>,
): Map<string, { shape: readonly number[] }> =>
  new Map([...tensors].map(([name, { shape }]) => [name, { shape }]));

/** The shapes of the file that would be written for these parameters. */
export function writtenShapes(
  parameters: readonly Parameter[],
): Map<string, { shape: readonly number[] }> {
  return new Map(
    parameters.flatMap(({ stored: { tensor, shape, alsoWrittenAs = [] } }) =>
      [tensor, ...alsoWrittenAs].map(name => [name, { shape }] as const),
    ),
  );
}

/** The values of every parameter by id. */
export function parameterValues({ recognition, tensors }: Fixture): Map<string, Float32Array> {
  return new Map(
    recognition.architecture.parameters.map(parameter => {
      const name = recognition.names.get(parameter.stored.tensor)!;
      return [parameter.id, extractParameter(parameter, tensors.get(name)!.data as Float32Array)];
    }),
  );
}

/** The BERT with an untied head that the released LiGO code grew, its batch and its loss. */
export function officialGrown(): {
  config: ModelConfig;
  tensors: Map<string, FixtureTensor>;
  batch: Map<string, FixtureTensor>;
  loss: number;
} {
  const folder = fileURLToPath(new URL('../../fixtures/ligo-official/', import.meta.url));
  const golden = JSON.parse(readFileSync(`${folder}golden.json`, 'utf8')) as {
    large: ModelConfig;
    losses: number[];
  };
  return {
    config: golden.large,
    tensors: readSafetensors(`${folder}grown.safetensors`),
    batch: readSafetensors(`${folder}batch.safetensors`),
    loss: golden.losses[0]!,
  };
}
