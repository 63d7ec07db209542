import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemLibraryFolders } from './vulkan';

/** A library that is loaded by its name, and what brings it. */
export interface CudaLibrary {
  readonly file: string;
  readonly of: string;
}

/** What ONNX Runtime's CUDA provider is linked against. */
export const providerLibraries: readonly CudaLibrary[] = [
  { file: 'libcudart.so.12', of: 'CUDA 12' },
  { file: 'libcublas.so.12', of: 'CUDA 12' },
  { file: 'libcublasLt.so.12', of: 'CUDA 12' },
  { file: 'libcufft.so.11', of: 'CUDA 12' },
  { file: 'libcurand.so.10', of: 'CUDA 12' },
  { file: 'libcudnn.so.9', of: 'cuDNN 9' },
];

/** Versions in the names of libraries, by the version of CUDA that brings them. */
const namedVersions: Readonly<Record<string, readonly [cudart: string, cufft: string]>> = {
  11: ['11.0', '10'],
  12: ['12', '11'],
};

/** What a TensorFlow that is built for some CUDA and cuDNN loads when it looks for GPUs. */
export function tensorFlowLibraries({
  cuda,
  cudnn,
}: {
  readonly cuda: string;
  readonly cudnn: string;
}): readonly CudaLibrary[] {
  const [major = ''] = cuda.split('.');
  const [cudart, cufft] = namedVersions[major] ?? [];
  // Of a CUDA that is not known here the library itself must tell.
  if (cudart === undefined || cufft === undefined) return [];
  const files = [
    `libcudart.so.${cudart}`,
    `libcublas.so.${major}`,
    `libcublasLt.so.${major}`,
    `libcufft.so.${cufft}`,
    'libcusolver.so.11',
    `libcusparse.so.${major}`,
  ];
  const [cudnnMajor = ''] = cudnn.split('.');
  return [
    ...files.map(file => ({ file, of: `CUDA ${major}` })),
    { file: `libcudnn.so.${cudnnMajor}`, of: `cuDNN ${cudnnMajor}` },
  ];
}

/**
 * The parts of CUDA that would not be found, such as `cuDNN 9 (libcudnn.so.9)`; empty when all are
 * there.
 */
export async function missingCudaLibraries(
  needed: readonly CudaLibrary[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string[]> {
  const cached = await promisify(execFile)('/sbin/ldconfig', ['-p'], { timeout: 5000 }).then(
    ({ stdout }) => stdout,
    // Systems without it keep their libraries in the folders looked into.
    () => '',
  );
  const folders = systemLibraryFolders(environment);
  const missing = needed.filter(
    ({ file }) => !cached.includes(file) && !folders.some(folder => existsSync(join(folder, file))),
  );
  return [...new Set(missing.map(({ of }) => of))].map(
    part =>
      `${part} (${missing
        .filter(({ of }) => of === part)
        .map(({ file }) => file)
        .join(', ')})`,
  );
}
