import { existsSync, readdirSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import type { GraphicsAdapter, Machine } from '../protocol/engines';

const libraryFolders: Readonly<Record<string, readonly string[]>> = {
  x64: ['/usr/lib/x86_64-linux-gnu', '/lib/x86_64-linux-gnu'],
  arm64: ['/usr/lib/aarch64-linux-gnu', '/lib/aarch64-linux-gnu'],
};

/** Folders that the system's loader of libraries looks into. */
export const systemLibraryFolders = (environment: NodeJS.ProcessEnv): string[] => [
  ...(environment['LD_LIBRARY_PATH'] ?? '').split(delimiter).filter(folder => folder !== ''),
  ...(libraryFolders[process.arch] ?? []),
  ...['/usr/lib64', '/lib64', '/usr/lib', '/lib', '/usr/local/lib', '/run/opengl-driver/lib'],
];

/** The Vulkan loader and its drivers, as the loader itself would find them. */
export function findVulkan(
  environment: NodeJS.ProcessEnv = process.env,
): NonNullable<Machine['vulkan']> {
  const loader = systemLibraryFolders(environment)
    .map(folder => join(folder, 'libvulkan.so.1'))
    .find(path => existsSync(path));
  return { ...(loader !== undefined && { loader }), drivers: vulkanDrivers(environment) };
}

/** Manifests by file name: those that the environment names, else those that are installed. */
function vulkanDrivers(environment: NodeJS.ProcessEnv): string[] {
  const named = environment['VK_DRIVER_FILES'] ?? environment['VK_ICD_FILENAMES'];
  if (named) return named.split(delimiter).map(path => basename(path));
  const home = environment['HOME'] ?? '';
  const shares = (environment['XDG_DATA_DIRS'] || '/usr/local/share:/usr/share').split(delimiter);
  const folders = [
    join(environment['XDG_CONFIG_HOME'] || join(home, '.config'), 'vulkan/icd.d'),
    '/etc/vulkan/icd.d',
    join(environment['XDG_DATA_HOME'] || join(home, '.local/share'), 'vulkan/icd.d'),
    ...shares.map(share => join(share, 'vulkan/icd.d')),
    '/run/opengl-driver/share/vulkan/icd.d',
  ];
  return [
    ...new Set(
      folders.flatMap(folder =>
        existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.json')) : [],
      ),
    ),
  ];
}

const softwareDriver = /lvp|lavapipe|llvmpipe|swiftshader|swrast/i;
const driversOf: Readonly<Record<GraphicsAdapter['vendor'], RegExp>> = {
  nvidia: /nvidia|nouveau|dzn/i,
  amd: /radeon|amd|dzn/i,
  intel: /intel|dzn/i,
  apple: /asahi|apple/i,
  qualcomm: /freedreno|adreno|turnip/i,
  other: /^$/,
};

/** Whether one of the drivers serves an adapter. */
export const hasDriverFor = ({ vendor }: GraphicsAdapter, drivers: readonly string[]): boolean =>
  drivers.some(name => driversOf[vendor].test(name));

/** What computes when only drivers are there that compute on the CPU; undefined without one. */
export function softwareRenderer(drivers: readonly string[]): string | undefined {
  const found = drivers.find(name => softwareDriver.test(name));
  if (found === undefined) return undefined;
  return /swiftshader/i.test(found) ? 'SwiftShader' : 'llvmpipe';
}
