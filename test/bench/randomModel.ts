import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  assembleTensor,
  byStoredTensor,
  type Architecture,
  type ModelConfig,
} from '../../src/architecture';
import { bert } from '../../src/architecture/families/bert';
import { decoderFamily } from '../../src/architecture/families/decoderFamily';
import { decoders } from '../../src/architecture/families/decoders';
import { gpt2 } from '../../src/architecture/families/gpt2';
import { writeCheckpoint } from '../../src/checkpoint/writeCheckpoint';
import { randomParameter } from '../../src/growth';
import { example } from '../support/fixtures';

/** A checkpoint's shapes, without its weights. */
export interface ModelShapes {
  /** config.json as it is published. */
  readonly config: ModelConfig;
  /** Element type of the weights as they are published. */
  readonly type: 'F32' | 'BF16';
  /** Whose tokenizer it gets: the published one is not at hand, and its ids would be as many. */
  readonly tokenizer: 'gpt2-kjv' | 'bert-kjv';
}

/** The model that a config.json makes by itself. */
function architectureOf(config: ModelConfig): Architecture {
  const families = [gpt2, bert, ...decoders.map(decoderFamily)];
  const family = families.find(({ modelType }) => modelType === config['model_type'])!;
  const none = () => false;
  const file = { prefix: family.prefix, has: none, hasUnder: none, differ: none };
  return family.build(config, file).architecture;
}

/** Writes a checkpoint of the shapes with random weights, for measurements. */
export async function writeRandomModel(
  folder: string,
  { config, type, tokenizer }: ModelShapes,
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config, null, 2));
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
    copyFileSync(join(example(tokenizer), file), join(folder, file));
  }
  const architecture = architectureOf(config);
  await writeCheckpoint(
    folder,
    [...byStoredTensor(architecture.parameters)].map(([name, parameters]) => ({
      name,
      type,
      shape: parameters[0]!.stored.shape,
      values: () => {
        const parts = parameters.map(parameter => randomParameter(architecture, parameter, 0));
        return Promise.resolve(assembleTensor(parameters, parts));
      },
    })),
  );
}
