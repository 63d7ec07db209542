import type { Readable } from 'node:stream';

/** What a build of TensorFlow wants of NVIDIA. */
export interface CudaVersions {
  /** Of CUDA: 12.5.1. */
  readonly cuda: string;
  readonly cudnn: string;
}

/** A file of TensorFlow's that an addon is built with or runs on. */
export interface TensorFlowFile {
  /** Where it belongs below the addon's folder of dependencies, with slashes: lib/libtensorflow_cc.so.2. */
  readonly place: string;
  readonly bytes: number;
  /** SHA-256 in base64url, as a wheel lists it. */
  readonly sha256?: string;
  /** Its bytes, once. Rejects with UserError when it cannot be read. */
  open(): Promise<Readable>;
}

/** A TensorFlow that a person has: the library with its C interface, and the headers of that. */
export interface TensorFlow extends AsyncDisposable {
  /** Its file or folder, without the way there. */
  readonly name: string;
  /** Absent where only the library itself tells. */
  readonly version?: string;
  /** Platform tags of a wheel: manylinux_2_27_x86_64. */
  readonly platforms?: readonly string[];
  /** Whether it was built for CUDA; absent where nothing tells. */
  readonly isForCuda?: boolean;
  readonly cuda?: CudaVersions;
  readonly files: readonly TensorFlowFile[];
}

/** The part of TensorFlow's generated `build_info.py` that tells of CUDA. */
export function cudaOf(buildInfo: string): Pick<TensorFlow, 'isForCuda' | 'cuda'> {
  const isForCuda = /'is_cuda_build',\s*(True|False)/.exec(buildInfo)?.[1];
  if (isForCuda === undefined) return {};
  const version = (of: string): string | undefined =>
    new RegExp(`'${of}_version',\\s*'(\\d+(?:\\.\\d+)*)'`).exec(buildInfo)?.[1];
  const [cuda, cudnn] = [version('cuda'), version('cudnn')];
  return {
    isForCuda: isForCuda === 'True',
    ...(cuda !== undefined && cudnn !== undefined && { cuda: { cuda, cudnn } }),
  };
}
