// The environment in which WebGPU finds SwiftShader, the Vulkan adapter in software that Debian's
// Chromium brings along; undefined where it is not installed.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const folders = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'];

export function softwareAdapter() {
  const folder = folders.find(
    name =>
      existsSync(join(name, 'vk_swiftshader_icd.json')) && existsSync(join(name, 'libvulkan.so.1')),
  );
  if (folder === undefined) return undefined;
  const icd = join(folder, 'vk_swiftshader_icd.json');
  return {
    VK_ICD_FILENAMES: icd,
    VK_DRIVER_FILES: icd,
    // The Vulkan loader lies beside it.
    LD_LIBRARY_PATH: [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter),
  };
}
