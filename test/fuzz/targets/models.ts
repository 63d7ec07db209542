import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeCheckpoint } from '../../../src/checkpoint/writeCheckpoint';
import { loadTokenizer } from '../../../src/data/tokenizer';
import { operatorsIn, startedOperators, type Growth } from '../../../src/growth';
import { inspect } from '../../../src/inspect/inspect';
import { openModel } from '../../../src/run/open/model';
import { readOperators } from '../../../src/run/grow/grownParameters';
import { requireGrowth, resolveTarget } from '../../../src/run/plan/plan';
import { defaultLigoSettings } from '../../../src/run/settings';
import { summarizeCheckpoint } from '../../../src/worker/describe';
import { example, fixture } from '../../support/fixtures';
import { hostileJson } from '../mutate';
import { families, joinSafetensors, readJson, splitSafetensors, type Targets } from './target';

async function smallGrowth(): Promise<Growth> {
  const model = await openModel(fixture('hf/gpt2'));
  await model.checkpoint.close();
  const { numHiddenLayers: layers } = model.architecture.dimensions;
  return requireGrowth(model, await resolveTarget(model, { layers: layers + 1 }));
}

/** What lies beside weights, and what a growth leaves. */
export const models: Targets = {
  config: {
    async prepare(folder) {
      const configs = families.map(name => {
        cpSync(fixture(`hf/${name}`), join(folder, name), { recursive: true });
        return { at: join(folder, name), config: readJson(fixture(`hf/${name}/config.json`)) };
      });
      return async draw => {
        const { at, config } = draw.pick(configs);
        writeFileSync(join(at, 'config.json'), hostileJson(config, draw));
        await inspect(at);
      };
    },
  },
  tokenizer: {
    async prepare(folder) {
      const sources = ['gpt2-kjv', 'bert-kjv'].map(name => {
        const at = join(folder, name);
        mkdirSync(at);
        const names = readdirSync(example(name)).filter(file => /token|vocab|merges/.test(file));
        for (const file of names) cpSync(join(example(name), file), join(at, file));
        const files = names
          .filter(file => file.endsWith('.json'))
          .map(file => ({ file, content: readJson(join(at, file)) }));
        return { at, files };
      });
      return async draw => {
        const { at, files } = draw.pick(sources);
        const { file, content } = draw.pick(files);
        writeFileSync(join(at, file), hostileJson(content, draw));
        try {
          const tokenizer = await loadTokenizer(at, { pattern: 0.5, answer: 1, megabytes: 200 });
          try {
            await tokenizer.encode(
              'Ünder the [MASK] <|endoftext|> 東京 sky…\n\u202e aaaaaaaaaaaaaaaaaaaaaaaaaaaa',
            );
          } finally {
            await tokenizer.close();
          }
        } finally {
          writeFileSync(join(at, file), JSON.stringify(content));
        }
      };
    },
  },
  operators: {
    async prepare(folder) {
      const growth = await smallGrowth();
      const started = startedOperators(growth, defaultLigoSettings.initialization);
      const tensors = started.map(({ name, shape }) => ({
        ...{ name, shape, type: 'F32' as const },
        values: () => Promise.resolve(new Float32Array(shape[0] * shape[1]).fill(0.5)),
      }));
      await writeCheckpoint(folder, tensors, {
        baseName: 'operators',
        metadata: { format: 'ligo' },
      });
      const file = join(folder, 'operators.safetensors');
      const { header, data } = splitSafetensors(file);
      return async draw => {
        writeFileSync(file, joinSafetensors(hostileJson(header, draw), data, draw));
        const { operators } = await readOperators(file, growth);
        operatorsIn(growth, operators);
      };
    },
  },
  receipts: {
    async prepare(folder) {
      cpSync(fixture('hf/gpt2'), folder, { recursive: true });
      const model = {
        ...{ family: 'gpt2', modelClass: 'GPT2LMHeadModel', layers: 2, hidden: 4, heads: 2 },
        ...{ ffn: 8, parameters: 100 },
      };
      const receipt = { source: { ...model, path: '/a', sha256: 'x', files: [] }, target: model };
      return async draw => {
        writeFileSync(join(folder, 'growth.json'), hostileJson(receipt, draw));
        await summarizeCheckpoint(folder);
      };
    },
  },
};
