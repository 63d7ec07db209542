import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemLibraryFolders } from './vulkan';

/** What ONNX Runtime's CUDA provider is linked against, with what brings it. */
const needed = [
  { file: 'libcudart.so.12', of: 'CUDA 12' },
  { file: 'libcublas.so.12', of: 'CUDA 12' },
  { file: 'libcublasLt.so.12', of: 'CUDA 12' },
  { file: 'libcufft.so.11', of: 'CUDA 12' },
  { file: 'libcurand.so.10', of: 'CUDA 12' },
  { file: 'libcudnn.so.9', of: 'cuDNN 9' },
] as const;

/**
 * The parts of CUDA that the provider would not find, such as `cuDNN 9 (libcudnn.so.9)`; empty when
 * all are there.
 */
export async function missingCudaLibraries(
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
