import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { OptionalEngine } from '../protocol/engines';
import { chooseEngine } from './choose';
import { missingCudaLibraries, providerLibraries, tensorFlowLibraries } from './cudaLibraries';
import { cudaProvider, engineFolder, enginePackages, folderOf, isInstalled } from './folder';
import { readMachine } from './machine';
import { freeMemory } from './memory';
import { reportEngines, type Installed } from './reports';
import type { FoundSurvey } from './found';
import type { BuiltWith } from './tfjs/packages';

/** Examines every engine on this machine without starting any. */
export async function surveyEngines(
  options: { readonly folder?: string } = {},
): Promise<FoundSurvey> {
  const folder = engineFolder(options.folder);
  const machine = { ...(await readMachine()), freeMemoryBytes: freeMemory() };
  const found = await findInstalled(folder);
  const { engines, built } = found;
  const missingCuda = engines.includes('cuda') ? await missingCudaLibraries(providerLibraries) : [];
  const gpuBuild = process.platform === 'linux' ? built['tfjs-gpu']?.cuda : undefined;
  const missingTensorFlowCuda = gpuBuild
    ? await missingCudaLibraries(tensorFlowLibraries(gpuBuild))
    : [];
  const reports = reportEngines(machine, { ...found, missingCuda, missingTensorFlowCuda });
  return { machine, engines: reports, choice: chooseEngine(reports), folder };
}

/** Which optional engines are there, in their folder or beside this software. */
async function findInstalled(
  folder: string,
): Promise<Pick<Installed, 'engines' | 'incomplete' | 'built'>> {
  const own = createRequire(import.meta.url);
  const engines: OptionalEngine[] =
    isInstalled('cuda', folder) || hasOwnProvider(own) ? ['cuda'] : [];
  const incomplete: OptionalEngine[] = [];
  const built: Partial<Record<OptionalEngine, BuiltWith>> = {};
  for (const [name, backend] of [
    ['tfjs-gpu', 'gpu'],
    ['tfjs-node', 'node'],
  ] as const) {
    if (!isInstalled(name, folder) && !resolves(own, enginePackages[name].name)) continue;
    const { installedTfjs } = await import('./tfjs/packages');
    const found = installedTfjs(folderOf(name, folder)).find(each => each.backend === backend);
    const whole = found?.addon !== undefined && found.library !== undefined;
    (whole ? engines : incomplete).push(name);
    if (found?.built) built[name] = found.built;
  }
  return { engines, incomplete, built };
}

/** Whether the runtime beside this software was itself installed with CUDA. */
function hasOwnProvider(own: NodeJS.Require): boolean {
  const root = dirname(own.resolve('onnxruntime-node/package.json'));
  return existsSync(join(root, cudaProvider));
}

function resolves(own: NodeJS.Require, name: string): boolean {
  try {
    own.resolve(`${name}/package.json`);
    return true;
  } catch {
    // Most machines do not have it, which is what was asked.
    return false;
  }
}
