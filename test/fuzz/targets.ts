import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { listCheckpoint, openCheckpoint } from '../../src/checkpoint/checkpoint';
import { isReadableType } from '../../src/checkpoint/elementTypes';
import { writeCheckpoint } from '../../src/checkpoint/writeCheckpoint';
import { loadTokenizer } from '../../src/data/tokenizer';
import { operatorsIn, startedOperators, type Growth } from '../../src/growth';
import { DeviceClaims } from '../../src/host/runs/deviceClaims';
import { localLauncher } from '../../src/host/runs/launcher';
import { Runs } from '../../src/host/runs/runs';
import { runFiles } from '../../src/protocol/runFolder';
import { batchShape, openData } from '../../src/run/open/data';
import { readOperators } from '../../src/run/grow/grownParameters';
import { inspect } from '../../src/inspect/inspect';
import { openModel } from '../../src/run/open/model';
import { requireGrowth, resolveTarget } from '../../src/run/plan/plan';
import { defaultLigoSettings } from '../../src/run/settings';
import { summarizeCheckpoint } from '../../src/worker/describe';
import { example, fixture } from '../support/fixtures';
import { requestFor } from '../unit/worker/runFolder';
import { flipBytes, hostileJson, mutateBytes, type Draw } from './mutate';

/** Reads one hostile input, written into the folder first; whatever it throws must be ours. */
export type ReadOne = (draw: Draw) => Promise<void>;

/** What can be fuzzed, made ready in a folder of its own. */
export interface Target {
  readonly prepare: (folder: string) => Promise<ReadOne>;
}

const families = ['bert', 'roberta', 'gpt2', 'vit', 'deit'] as const;
const readJson = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

/** The header of a safetensors file, and its data. */
function splitSafetensors(path: string): { header: unknown; data: Buffer } {
  const bytes = readFileSync(path);
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  return { header: JSON.parse(bytes.toString('utf8', 8, end)), data: bytes.subarray(end) };
}

function joinSafetensors(header: Buffer, data: Buffer, draw: Draw): Buffer {
  const length = Buffer.alloc(8);
  const stated = draw.chance(0.05) ? draw.below(2 ** 31) : header.length;
  length.writeBigUInt64LE(BigInt(stated));
  const whole = Buffer.concat([length, header, data]);
  return draw.chance(0.1) ? mutateBytes(whole, draw) : whole;
}

/** A file of torch with a few places changed: anywhere, or only in its pickle, which begins it. */
function mutateTorch(bytes: Buffer, draw: Draw): Buffer {
  if (draw.chance(0.3)) return mutateBytes(bytes, draw);
  const found = bytes.indexOf('.PK');
  const end = found < 0 ? bytes.length : found + 1;
  const at = 40 + draw.below(end - 40);
  const out = Buffer.from(bytes);
  for (let changes = 1 + draw.below(6); changes > 0; changes--) {
    out[Math.min(out.length - 1, at + draw.below(12))] = draw.chance(0.5)
      ? draw.below(256)
      : draw.pick(pickleBytes);
  }
  return out;
}

/** Opcodes and lengths of pickles. */
const pickleBytes = [
  ...Buffer.from(
    '(.0123)}]RQbtuaesdlKMJXGNhqrjgpcio\x80\x81\x85\x86\x87\x88\x8a\x8b\x93\x94\xff',
    'latin1',
  ),
];

/** Mostly the header is changed, and mostly without moving what follows. */
function mutateGguf(bytes: Buffer, draw: Draw): Buffer {
  if (draw.chance(0.3)) return mutateBytes(bytes, draw);
  const out = Buffer.from(bytes);
  for (let changes = 1 + draw.below(3); changes > 0; changes--) {
    const at = draw.below(draw.chance(0.7) ? Math.min(4096, out.length - 8) : out.length - 8);
    if (draw.chance(0.4)) out[at] = draw.below(256);
    else out.writeBigUInt64LE(draw.pick([0n, 1n, 255n, 2n ** 31n, 2n ** 40n, 2n ** 63n]), at);
  }
  return out;
}

/** Lists a checkpoint and reads its first tensor. */
async function look(path: string): Promise<void> {
  await inspect(path);
  const checkpoint = await listCheckpoint(path);
  try {
    const [first] = checkpoint.tensors.keys();
    if (first !== undefined) await checkpoint.readFloat32(first);
  } finally {
    await checkpoint.close();
  }
}

/** Lists a checkpoint, and reads all of its tensors that have values. */
async function lookAtAll(path: string): Promise<void> {
  await inspect(path);
  const checkpoint = await listCheckpoint(path);
  try {
    for (const { name, type } of checkpoint.tensors.values()) {
      if (isReadableType(type)) await checkpoint.readFloat32(name);
    }
  } finally {
    await checkpoint.close();
  }
}

/** Whole files of a format, each in a copy of its folder, with a few bytes changed. */
const changedFiles = (paths: readonly string[]): Target => ({
  prepare(folder) {
    const files = paths.map((path, index) => {
      const at = join(folder, String(index));
      cpSync(fixture(`formats/${dirname(path)}`), at, { recursive: true });
      const file = join(at, basename(path));
      return { file, bytes: readFileSync(file) };
    });
    return Promise.resolve(async draw => {
      const { file, bytes } = draw.pick(files);
      writeFileSync(file, draw.chance(0.5) ? mutateBytes(bytes, draw) : flipBytes(bytes, draw));
      await lookAtAll(file);
    });
  },
});

/** Opens data as training does, and reads a batch. */
async function readBatch(checkpoint: string, data: string): Promise<void> {
  const model = await openModel(checkpoint);
  try {
    const options = { data, batchSize: 2, sequenceLength: 8, evaluationBatches: 1, seed: 0 };
    batchShape(model.architecture, options);
    const opened = await openData(model.architecture, checkpoint, options);
    try {
      await opened.batches.train(0);
    } finally {
      await opened.batches.close();
    }
  } finally {
    await model.checkpoint.close();
  }
}

async function smallGrowth(): Promise<Growth> {
  const model = await openModel(fixture('hf/gpt2'));
  await model.checkpoint.close();
  const { numHiddenLayers: layers } = model.architecture.dimensions;
  return requireGrowth(model, await resolveTarget(model, { layers: layers + 1 }));
}

export const targets: Readonly<Record<string, Target>> = {
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
  pytorch: {
    async prepare(folder) {
      const at = fixture('formats/pytorch');
      const names = readdirSync(at, { recursive: true, encoding: 'utf8' })
        .filter(name => /\.(pt|pth|ckpt|bin|tar)$/.test(name))
        .sort();
      const sources = names.map(name => readFileSync(join(at, name)));
      const file = join(folder, 'pytorch_model.bin');
      return async draw => {
        writeFileSync(file, mutateTorch(draw.pick(sources), draw));
        await look(file);
      };
    },
  },
  gguf: {
    async prepare(folder) {
      const source = fixture('formats/gguf');
      const files = readdirSync(source)
        .filter(name => name.endsWith('.gguf'))
        .map(name => readFileSync(join(source, name)));
      const file = join(folder, 'model.gguf');
      return async draw => {
        writeFileSync(file, mutateGguf(draw.pick(files), draw));
        await inspect(folder);
        const checkpoint = await listCheckpoint(folder);
        try {
          const tensors = [...checkpoint.tensors.values()];
          if (tensors.length > 0) {
            const { name, shape } = draw.pick(tensors);
            const count = shape.reduce((product, length) => product * length, 1);
            await checkpoint.readRange(name, Math.floor(count / 3), Math.floor(count / 3));
            await checkpoint.readFloat32(name);
          }
          for (const make of checkpoint.companions.values()) JSON.parse(await make());
        } finally {
          await checkpoint.close();
        }
      };
    },
  },
  ggufParts: {
    prepare(folder) {
      const source = fixture('formats/gguf/split');
      const parts = readdirSync(source).map(name => ({
        file: join(folder, name),
        bytes: readFileSync(join(source, name)),
      }));
      return Promise.resolve(async draw => {
        const changed = draw.pick(parts);
        for (const { file, bytes } of parts) writeFileSync(file, bytes);
        if (draw.chance(0.1)) rmSync(changed.file);
        else writeFileSync(changed.file, mutateGguf(changed.bytes, draw));
        await lookAtAll(folder);
      });
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
  hdf5: changedFiles([
    ...['hdf5/types.h5', 'hdf5/bert/tf_model.h5', 'hdf5/chunked.h5', 'hdf5/latest.h5'],
  ]),
  keras: changedFiles(['keras/model.keras', 'keras/deflated.keras', 'keras/model.weights.h5']),
  llama2c: changedFiles(['llama2c/tied/version0.bin', 'llama2c/untied/version1.bin']),
  onnx: changedFiles(['onnx/model.onnx', 'onnx/external.onnx']),
  numpy: changedFiles([
    ...['numpy/types.npz', 'numpy/packed.npz', 'numpy/array.npy', 'numpy/flax/flax_model.npz'],
  ]),
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
  runs: {
    async prepare(folder) {
      const at = join(folder, 'run');
      mkdirSync(at);
      const request = requestFor('/out', { id: 'run', title: 'run' });
      const events = [
        { type: 'device', engine: 'cpu', device: 'CPU', time: 1 },
        { type: 'step', step: 1, steps: 3, loss: 3, seconds: 1, tokensPerSecond: 1, time: 4 },
        {
          type: 'evaluation',
          model: 'small',
          step: 0,
          loss: 1,
          accuracy: 1,
          perplexity: 1,
          batches: 1,
          time: 6,
        },
        { type: 'warning', message: 'm', remedy: 'r', time: 7 },
        { type: 'done', out: '/out', time: 12 },
      ];
      return async draw => {
        writeFileSync(
          join(at, runFiles.request),
          draw.chance(0.3) ? hostileJson(request, draw) : JSON.stringify(request),
        );
        writeFileSync(
          join(at, runFiles.process),
          draw.chance(0.3) ? hostileJson({ pid: 1, started: 1 }, draw) : '{"pid":1,"started":1}',
        );
        writeFileSync(
          join(at, runFiles.events),
          Buffer.concat(
            events.flatMap(event => [
              draw.chance(0.5) ? hostileJson(event, draw) : Buffer.from(JSON.stringify(event)),
              Buffer.from('\n'),
            ]),
          ),
        );
        let failed: unknown;
        const runs = new Runs({
          folder,
          devices: new DeviceClaims(join(folder, 'devices'), () => ''),
          launcher: localLauncher(() => {
            throw new Error('a run was started');
          }),
          keep: () => 1e6,
          mayStart: () => false,
          onError: error => (failed = error),
        });
        try {
          await runs.restore();
          for (const {
            request: { id },
          } of runs.list()) {
            await runs.load(id);
            structuredClone(runs.get(id)!.detail(phase => phase));
          }
          if (failed !== undefined) throw failed;
        } finally {
          runs.dispose();
        }
      };
    },
  },
  idx: {
    async prepare(folder) {
      const source = example('fashion-mnist');
      const names = readdirSync(source).filter(name => /ubyte/.test(name));
      const files = names.map(name => {
        const whole = name.endsWith('.gz')
          ? gunzipSync(readFileSync(join(source, name)))
          : readFileSync(join(source, name));
        const images = 50;
        const bytes = Buffer.from(
          whole.subarray(0, whole[3] === 3 ? 16 + 784 * images : 8 + images),
        );
        bytes.writeUInt32BE(images, 4);
        return { name: name.replace(/\.gz$/, ''), bytes };
      });
      for (const { name, bytes } of files) writeFileSync(join(folder, name), bytes);
      return async draw => {
        const { name, bytes } = draw.pick(files);
        const head = draw.chance(0.1)
          ? bytes.subarray(0, 16)
          : mutateBytes(bytes.subarray(0, 16), draw);
        writeFileSync(join(folder, name), Buffer.concat([head, bytes.subarray(16)]));
        try {
          await readBatch(example('vit-fmnist'), folder);
        } finally {
          writeFileSync(join(folder, name), bytes);
        }
      };
    },
  },
  images: {
    async prepare(folder) {
      const { default: sharp } = await import('sharp');
      const pixels = sharp({ create: { width: 28, height: 28, channels: 3, background: '#963' } });
      const formats = ['png', 'jpeg', 'webp'] as const;
      const files = await Promise.all(
        formats.map(async format => ({
          name: `a.${format}`,
          bytes: await pixels.clone().toFormat(format).toBuffer(),
        })),
      );
      // Folders may be called by the numbers of their classes.
      for (let label = 0; label < 10; label++) {
        const of = join(folder, String(label));
        mkdirSync(of);
        for (let i = 0; i < 4; i++) writeFileSync(join(of, `${i}.png`), files[0]!.bytes);
      }
      return async draw => {
        const { name, bytes } = draw.pick(files);
        const path = join(folder, '1', name);
        writeFileSync(path, draw.chance(0.1) ? bytes : mutateBytes(bytes, draw));
        try {
          await readBatch(example('vit-fmnist'), folder);
        } finally {
          rmSync(path);
        }
      };
    },
  },
  jsonl: {
    async prepare(folder) {
      const file = join(folder, 'data.txt');
      const records = Array.from({ length: 60 }, (_, id) => ({
        id,
        text: `In the beginning ${id} was the word.`,
      }));
      return async draw => {
        const lines = records.map(record =>
          draw.chance(0.02) ? hostileJson(record, draw) : Buffer.from(JSON.stringify(record)),
        );
        const text = Buffer.concat(lines.flatMap(line => [line, Buffer.from('\n')]));
        writeFileSync(file, draw.chance(0.3) ? mutateBytes(text, draw) : text);
        await readBatch(example('gpt2-kjv'), file);
      };
    },
  },
};

/** Every input of a model is written by what reads it back: the fixtures must be whole. */
export async function selfCheck(): Promise<void> {
  for (const name of families) await (await openCheckpoint(fixture(`hf/${name}`))).close();
}
