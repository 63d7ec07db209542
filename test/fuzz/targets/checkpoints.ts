import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fixture } from '../../support/fixtures';
import { hostileJson, mutateBytes } from '../mutate';
import {
  changedFiles,
  families,
  joinSafetensors,
  look,
  lookAtAll,
  readJson,
  splitSafetensors,
  type Targets,
} from './target';

/** Formats of checkpoints whose files are changed by chance, and the index of shards. */
export const checkpoints: Targets = {
  safetensors: {
    async prepare(folder) {
      const sources = families.map(name =>
        splitSafetensors(fixture(`hf/${name}/model.safetensors`)),
      );
      const file = join(folder, 'model.safetensors');
      return async draw => {
        const { header, data } = draw.pick(sources);
        writeFileSync(file, joinSafetensors(hostileJson(header, draw), data, draw));
        await look(folder);
      };
    },
  },
  index: {
    async prepare(folder) {
      cpSync(fixture('hf/bert-sharded'), folder, { recursive: true });
      const file = join(folder, 'model.safetensors.index.json');
      const index = readJson(file);
      return async draw => {
        writeFileSync(file, hostileJson(index, draw));
        await look(folder);
      };
    },
  },
  tfjs: {
    async prepare(folder) {
      const source = fixture('formats/tfjs/bert');
      cpSync(source, folder, { recursive: true });
      const file = join(folder, 'model.json');
      const json = readJson(file);
      const shards = readdirSync(source).filter(name => name.endsWith('.bin'));
      return async draw => {
        writeFileSync(file, hostileJson(json, draw));
        for (const name of shards) {
          const bytes = readFileSync(join(source, name));
          writeFileSync(join(folder, name), draw.chance(0.1) ? mutateBytes(bytes, draw) : bytes);
        }
        await lookAtAll(file);
      };
    },
  },
  flax: changedFiles([
    ...['flax/types.msgpack', 'flax/bert/flax_model.msgpack', 'flax/vit/flax_model.msgpack'],
  ]),
  keras: changedFiles(['keras/model.keras', 'keras/deflated.keras', 'keras/model.weights.h5']),
  llama2c: changedFiles(['llama2c/tied/version0.bin', 'llama2c/untied/version1.bin']),
  onnx: changedFiles(['onnx/model.onnx', 'onnx/external.onnx']),
  numpy: changedFiles([
    ...['numpy/types.npz', 'numpy/packed.npz', 'numpy/array.npy', 'numpy/flax/flax_model.npz'],
  ]),
};
