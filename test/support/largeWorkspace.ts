import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { example, fixture } from './fixtures';
import { zipOf } from './zip';

/** What a file of the workspace holds: bytes, or those of a file that is there. */
type Content = Buffer | string | { readonly from: string };

/** Files that lie together, by their paths. */
type Unit = Readonly<Record<string, Content>>;

const noise = Buffer.from(Array.from({ length: 500 }, (_, at) => (at * 73 + 200) % 256));
const pickle = Buffer.from('\x80\x02}q\x00X\x05\x00\x00\x00labelq\x01]q\x02s.', 'latin1');
const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n';

/** Every file below a folder, by its path from there. */
function filesBelow(folder: string, but: RegExp): Unit {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter(
    name =>
      !but.test(name) && statSync(join(folder, name)).isFile() && basename(name) !== 'make.py',
  );
  return Object.fromEntries(files.map(name => [name, { from: join(folder, name) }]));
}

/** A safetensors file of tensors that are called so, of one number each. */
function safetensorsOf(names: readonly string[]): Buffer {
  const entry = (at: number) => ({ dtype: 'F32', shape: [1], data_offsets: [4 * at, 4 * at + 4] });
  const header = JSON.stringify(Object.fromEntries(names.map((name, at) => [name, entry(at)])));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(4 * names.length, 1)]);
}

const layer = 'model.layers.0.self_attn.q_proj';
const quantised = (method: string, ...ends: readonly string[]): Unit => ({
  'model.safetensors': safetensorsOf(ends.map(end => layer + end)),
  'config.json': JSON.stringify({
    ...{ model_type: 'llama', quantization_config: { quant_method: method } },
  }),
});

/** Weights of every format, as its own tools write them, without the goldens beside them. */
const formats = (): Record<string, Unit> => {
  const goldens = /\.safetensors$/;
  const folders = [
    ...['flax/bert', 'flax/gpt2', 'flax/vit', 'hdf5/bert', 'llama2c/tied', 'llama2c/untied'],
    ...['numpy/flax', 'onnx', 'pytorch/gpt2', 'pytorch/sharded', 'tfjs'],
  ];
  return {
    ...Object.fromEntries(
      ['bert-kjv', 'gpt2-kjv', 'llama-kjv', 'vit-fmnist'].map(name => [
        name,
        filesBelow(example(name), /tokenizer\.json$/),
      ]),
    ),
    ...Object.fromEntries(
      folders.map(name => [
        name.replace('/', '-'),
        filesBelow(fixture(`formats/${name}`), goldens),
      ]),
    ),
    gguf: filesBelow(fixture('formats/gguf'), /\.(safetensors|json|py)$/),
    torch: filesBelow(fixture('formats/pytorch'), /\.safetensors$|^(gpt2|sharded)\b/),
    arrays: filesBelow(fixture('formats/numpy'), /\.safetensors$|^flax\b/),
  };
};

/** What is known and not read. */
const foreign = (): Record<string, Unit> => {
  const tensors = { from: fixture('formats/pytorch/types.pt') };
  return {
    dcp: { '.metadata': pickle, '__0_0.distcp': noise, '__1_0.distcp': noise },
    deepspeed: {
      'zero_to_fp32.py': '# joins\n',
      'global_step100/mp_rank_00_model_states.pt': tensors,
      'global_step100/bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt': tensors,
      'global_step100/zero_pp_rank_0_mp_rank_00_model_states.pt': tensors,
    },
    fsdp: { 'pytorch_model_fsdp_0/__0_0.distcp': noise, 'pytorch_model_fsdp_0/.metadata': pickle },
    verl: { 'model_world_size_2_rank_0.pt': tensors, 'model_world_size_2_rank_1.pt': tensors },
    megatron: {
      'latest_checkpointed_iteration.txt': '100\n',
      'iter_0000100/mp_rank_00/model_optim_rng.pt': tensors,
    },
    orbax: { _CHECKPOINT_METADATA: '{}', 'default/manifest.ocdbt': noise },
    savedmodel: { 'saved_model.pb': noise, 'variables/variables.data-00000-of-00001': noise },
    keras: { 'model.keras': zipOf([{ name: 'config.json', bytes: Buffer.from('{}') }]) },
    tflite: { 'model.tflite': Buffer.from('\x1c\0\0\0TFL3', 'latin1') },
    gptq: quantised('gptq', '.qweight', '.g_idx'),
    awq: quantised('awq', '.qweight'),
    bitsandbytes: quantised('bitsandbytes', '.weight', '.weight.quant_state.bitsandbytes__nf4'),
    fp8: quantised('fp8', '.weight', '.weight_scale_inv'),
    packed: quantised('compressed-tensors', '.weight_packed'),
    hqq: quantised('hqq', '.W_q'),
    mlx: quantised('', '.weight', '.scales', '.biases'),
    pointer: { 'pytorch_model.bin': pointer, 'config.json': '{"model_type": "gpt2"}' },
    page: { 'pytorch_model.bin': '<!DOCTYPE html><title>Not found</title>' },
    cut: { 'model.safetensors': safetensorsOf([layer]).subarray(0, 40), 'config.json': '{}' },
  };
};

/** What is called as weights are and holds none. */
const alike: Unit = {
  'firmware.bin': noise,
  'labels.pt': pickle,
  'package.json': '{"name": "notes"}',
  'notes.h5': 'Hidden: 5.\n',
  'archive.npz': zipOf([{ name: 'notes.txt', bytes: Buffer.from('no numbers') }]),
  'model.json': '{"name": "settings"}',
  'vocab.bin': Buffer.concat([Buffer.from([16, 0, 0, 0, 0, 0, 0, 0]), Buffer.alloc(400, 9)]),
  'saved.ckpt': 'level 3\n',
  'packed.msgpack': Buffer.from([0x93, 1, 2, 3]),
  'empty.pth': '',
};

/** Where the folder of this number lies: deep, wide, under names of all kinds. */
function placeOf(name: string, at: number): string {
  const places = [
    `wide/${name} ${at}`,
    `deep/${Array.from({ length: 3 + (at % 9) }, (_, level) => `level-${(at + level) % 7}`).join('/')}/${name}-${at}`,
    `Modèles français/${name} № ${at}`,
    `実験/${at % 11}/${name}`,
    `ignored/${name}-${at}`,
    `projects/${at % 13}/runs/${at}/${name}`,
  ];
  return places[at % places.length]!;
}

/**
 * Fills a folder with so many files: a folder of a format that is read, one of what is known and not read,
 * and 20 files that are only called alike, again and again. Files of one content are links to each other,
 * and none is one to a fixture. The folder is a repository that ignores one of its folders.
 */
export function fillLargeWorkspace(folder: string, files = 5000): void {
  const written = new Map<Content, string>();
  let count = 0;
  const put = (path: string, content: Content): void => {
    if (count >= files || existsSync(path)) return;
    mkdirSync(dirname(path), { recursive: true });
    const same = written.get(content);
    if (same !== undefined) linkSync(same, path);
    else if (typeof content === 'object' && 'from' in content) copyFileSync(content.from, path);
    else writeFileSync(path, content);
    written.set(content, path);
    count++;
  };
  const putAll = (place: string, unit: Unit): void => {
    for (const [name, content] of Object.entries(unit)) put(join(folder, place, name), content);
  };
  mkdirSync(join(folder, '.git', 'refs'), { recursive: true });
  mkdirSync(join(folder, '.git', 'objects'));
  writeFileSync(join(folder, '.git', 'HEAD'), 'ref: refs/heads/main\n');
  writeFileSync(join(folder, '.gitignore'), 'ignored/\n');
  const kinds = [formats(), foreign()].map(units => Object.entries(units));
  for (let at = 0; count < files; at++) {
    for (const units of kinds) {
      const [name, unit] = units[at % units.length]!;
      putAll(placeOf(name, at), unit);
    }
    for (const part of ['first', 'second']) putAll(`data/${at}/${part} part`, alike);
  }
}
