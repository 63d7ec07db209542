/** A kind of file or folder that is known and not read: what it is, why not, and what helps. */
export interface ForeignKind {
  readonly id: string;
  /** Ends "… is …" or "… holds …". */
  readonly is: string;
  /** Ends "… it cannot be grown, because …"; absent where nothing keeps what is inside from it. */
  readonly because?: string;
  readonly remedy: string;
  /** Bytes (as Latin-1) that such a file has, and where; the beginning where that is not said. */
  readonly bytes?: string;
  readonly at?: number;
  /** Whether the bytes count only in a file that is text throughout. */
  readonly text?: boolean;
  /** What a folder of it holds. */
  readonly name?: RegExp;
}

const UNPACK = 'Unpack it and open the folder.';
const SCATTERED = 'its tensors are cut into the parts of a training run that shared them out';

/** In the order in which they are looked for: the more particular one first. */
export const foreignKinds: readonly ForeignKind[] = [
  {
    id: 'deepspeed',
    is: 'a checkpoint of DeepSpeed ZeRO',
    because: SCATTERED,
    remedy:
      'Run the script that lies in it: python zero_to_fp32.py . <folder> --safe_serialization.',
    name: /^(?:zero_to_fp32\.py|global_step\d+|(?:bf16_)?zero_pp_rank_.+\.pt|mp_rank_\d+_model_states\.pt)$/,
  },
  {
    id: 'dcp',
    is: 'a distributed checkpoint of PyTorch (DCP)',
    because: SCATTERED,
    remedy:
      'Join it: python -m torch.distributed.checkpoint.format_utils dcp_to_torch <folder> model.pt, then open that file.',
    name: /^(?:\.metadata|__\d+_\d+\.distcp)$/,
  },
  {
    id: 'fsdp',
    is: 'a sharded checkpoint of FSDP',
    because: SCATTERED,
    remedy: 'Join it: accelerate merge-weights <folder>/pytorch_model_fsdp_0 <output folder>.',
    name: /^(?:pytorch_model_fsdp(?:_\d+)?)$/,
  },
  {
    id: 'verl',
    is: 'a checkpoint of verl',
    because: SCATTERED,
    remedy:
      'Join it: python -m verl.model_merger merge --backend fsdp --local_dir <folder> --target_dir <output folder>.',
    name: /^model_world_size_\d+_rank_\d+\.pt$/,
  },
  {
    id: 'megatron',
    is: 'a checkpoint of Megatron-LM',
    because: `${SCATTERED}, under names of its own`,
    remedy:
      "Convert it to Hugging Face's format with Megatron Bridge (AutoBridge.export_ckpt) or the script of its version (tools/checkpoint/convert.py).",
    name: /^(?:latest_checkpointed_iteration\.txt|iter_\d{7}|mp_rank_\d{2}(?:_\d{3})*|model_optim_rng\.pt)$/,
  },
  {
    id: 'orbax',
    is: 'a checkpoint of Orbax',
    because: 'its arrays are chunks in a database of their own (OCDBT, Zarr)',
    remedy:
      'Restore it in JAX (orbax.checkpoint) and save the parameters with safetensors.flax.save_file, or as flax_model.msgpack.',
    name: /^(?:_CHECKPOINT_METADATA|_METADATA|manifest\.ocdbt|ocdbt\.process_\d+)$/,
  },
  {
    id: 'savedmodel',
    is: 'a TensorFlow SavedModel',
    because: 'it is a graph whose values lie in a table of TensorFlow',
    remedy:
      'Load it in TensorFlow and save it with transformers, or grow the checkpoint it was exported from.',
    name: /^saved_model\.pb(?:txt)?$/,
  },
  {
    id: 'tf-checkpoint',
    is: 'a TensorFlow checkpoint',
    because: 'its values lie in a table of TensorFlow',
    remedy:
      "Convert it with transformers before version 5: the model's convert_…_original_tf_checkpoint_to_pytorch.py.",
    name: /\.(?:data-\d{5}-of-\d{5}|ckpt(?:-\d+)?\.(?:index|meta))$/,
  },
  {
    id: 'coreml',
    is: 'a Core ML model',
    because: 'it is a graph with packed weights for devices',
    remedy: 'Grow the checkpoint that it was converted from, then convert the grown one.',
    name: /\.ml(?:model|package|modelc)$/i,
  },
  {
    id: 'tflite',
    is: 'a TensorFlow Lite model',
    because: 'it is a graph with packed weights for devices',
    remedy: 'Grow the checkpoint that it was converted from, then convert the grown one.',
    bytes: 'TFL3',
    at: 4,
    name: /\.tflite$/i,
  },
  {
    id: 'zip',
    is: 'a zip archive, but not as torch.save or NumPy write',
    remedy: 'Unpack it if it holds a checkpoint, and open the folder.',
    bytes: 'PK\x03\x04',
  },
  { id: 'gzip', is: 'a gzip archive', remedy: UNPACK, bytes: '\x1f\x8b' },
  { id: 'tar', is: 'a tar archive', remedy: UNPACK, bytes: 'ustar', at: 257 },
  { id: '7z', is: 'a 7-Zip archive', remedy: UNPACK, bytes: '7z\xbc\xaf\x27\x1c' },
  { id: 'xz', is: 'an xz archive', remedy: UNPACK, bytes: '\xfd7zXZ\0' },
  { id: 'zstd', is: 'a Zstandard archive', remedy: UNPACK, bytes: '\x28\xb5\x2f\xfd' },
  { id: 'bzip2', is: 'a bzip2 archive', remedy: UNPACK, bytes: 'BZh' },
  { id: 'rar', is: 'a RAR archive', remedy: UNPACK, bytes: 'Rar!\x1a\x07' },
  {
    id: 'lfs',
    is: 'a Git LFS pointer; the weights themselves were not downloaded',
    remedy: 'Run "git lfs pull" in that folder.',
    bytes: 'version https://git-lfs',
  },
  {
    id: 'web-page',
    is: 'a web page or XML, perhaps an error page saved in place of the file',
    remedy: 'Download the file again.',
    bytes: '<',
    text: true,
  },
  {
    id: 'archive',
    is: 'an archive',
    remedy: UNPACK,
    name: /(?<!\.pth?)\.(?:zip|tar|tgz|tar\.\w+|gz|7z|rar|zst)$/i,
  },
];

/** What a file is by the bytes it begins with. @param isText whether it is text throughout */
export const foreignByBytes = (head: Uint8Array, isText: boolean): ForeignKind | undefined =>
  foreignKinds.find(({ bytes, at = 0, text }) => {
    if (bytes === undefined || (text === true && !isText)) return false;
    return Buffer.from(bytes, 'latin1').equals(head.subarray(at, at + bytes.length));
  });

/** What a folder is by the names in it, with the first that tells. */
export function foreignByNames(
  names: readonly string[],
): { readonly kind: ForeignKind; readonly name: string } | undefined {
  for (const kind of foreignKinds) {
    const name = names.find(candidate => kind.name?.test(candidate));
    if (name !== undefined) return { kind, name };
  }
  return undefined;
}

/** How a sentence about one ends: why it cannot be grown. */
export const whyNotGrown = ({ because }: ForeignKind): string =>
  because === undefined ? '' : `; it cannot be grown, because ${because}`;
