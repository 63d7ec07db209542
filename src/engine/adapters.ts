import { readdir, readFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import type { Systeminformation } from 'systeminformation';
import type { GraphicsAdapter } from '../protocol/engines';
import { hasNvidiaDriver, nvidiaAdapters } from './nvidia';

type Controller = Pick<
  Systeminformation.GraphicsControllerData,
  'vendor' | 'model' | 'vram' | 'vramDynamic' | 'driverVersion' | 'external' | 'bus'
>;

/** The graphics adapters of a machine, and why some may be missing. */
export interface FoundAdapters {
  readonly adapters: readonly GraphicsAdapter[];
  readonly problem?: string;
}

/** Milliseconds the system may take to list its adapters. */
const patience = 10_000;

/**
 * Asks the system for its graphics adapters. On Linux nothing is asked where no device could be one:
 * a machine without a GPU pays for a look at its list of devices only.
 */
export async function findAdapters(): Promise<FoundAdapters> {
  if (process.platform === 'linux' && !(await hasGraphicsDevice())) return { adapters: [] };
  const nvidia: GraphicsAdapter[] = [];
  if (hasNvidiaDriver()) {
    try {
      nvidia.push(...(await nvidiaAdapters()));
    } catch (error) {
      // The library asks the same tool, without a limit.
      return { adapters: [], problem: (error as Error).message };
    }
  }
  const controllers = await listControllers();
  if (!controllers) return { adapters: nvidia, problem: 'the system did not list its adapters' };
  return { adapters: mergeAdapters(controllers, nvidia) };
}

async function listControllers(): Promise<readonly Controller[] | undefined> {
  // Bundled CommonJS has a default export only.
  const { graphics } = (await import('systeminformation')).default;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(() => resolve(undefined), patience);
  });
  const listed = graphics().then(({ controllers }) => controllers);
  return Promise.race([listed, late]).finally(() => clearTimeout(timer));
}

/** Whether a PCI device is a display controller (class 03), or another kind of GPU is there. */
async function hasGraphicsDevice(): Promise<boolean> {
  if (['/dev/dxg', '/dev/nvidiactl', '/dev/kfd'].some(path => existsSync(path))) return true;
  const folder = '/sys/bus/pci/devices';
  const devices = await readdir(folder).catch(() => [] as string[]);
  const classes = await Promise.all(
    devices.map(device => readFile(`${folder}/${device}/class`, 'utf8').catch(() => '')),
  );
  if (classes.some(text => text.startsWith('0x03'))) return true;
  // Boards without PCI have their GPU as a render node.
  return (await readdir('/dev/dri').catch(() => [] as string[])).some(name =>
    name.startsWith('renderD'),
  );
}

/** What the system lists, with NVIDIA's own numbers in place of what it lists of them. */
export function mergeAdapters(
  controllers: readonly Controller[],
  nvidia: readonly GraphicsAdapter[],
): GraphicsAdapter[] {
  const listed = controllers.map(adapterOf);
  const others = nvidia.length > 0 ? listed.filter(({ vendor }) => vendor !== 'nvidia') : listed;
  const order = ['discrete', 'integrated', 'software'];
  return [...nvidia, ...others].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

const vendors: readonly (readonly [RegExp, GraphicsAdapter['vendor']])[] = [
  [/nvidia/i, 'nvidia'],
  [/\bamd\b|\bati\b|radeon|advanced micro/i, 'amd'],
  [/intel/i, 'intel'],
  [/apple/i, 'apple'],
  [/qualcomm|adreno/i, 'qualcomm'],
];

/** A controller as the library lists it. Display chips of servers and virtual machines compute nothing. */
export function adapterOf(controller: Controller): GraphicsAdapter {
  const { vendor: maker, model, vram, vramDynamic, driverVersion } = controller;
  const text = `${maker} ${model}`;
  const vendor = vendors.find(([pattern]) => pattern.test(text))?.[1] ?? 'other';
  const kind = kindOf(vendor, text, controller);
  const name = vendor === 'other' || !pattern(vendor).test(model) ? text.trim() : model;
  const owns = kind === 'discrete' && !vramDynamic && vram !== null && vram > 0;
  return {
    name: name.replace(/\s+/g, ' '),
    vendor,
    kind,
    ...(driverVersion && { driver: driverVersion }),
    // A window onto the memory is listed where the memory itself is not known.
    ...(owns && vram >= 1024 && { memoryBytes: vram * 2 ** 20 }),
  };
}

const pattern = (vendor: GraphicsAdapter['vendor']): RegExp =>
  vendors.find(([, name]) => name === vendor)![0];

function kindOf(
  vendor: GraphicsAdapter['vendor'],
  text: string,
  { vramDynamic, external, vram }: Controller,
): GraphicsAdapter['kind'] {
  switch (vendor) {
    case 'nvidia':
      return 'discrete';
    case 'apple':
    case 'qualcomm':
      return 'integrated';
    case 'intel':
      return /\barc\b|\bdg\d|\bflex\b|\bmax \d/i.test(text) ? 'discrete' : 'integrated';
    case 'amd':
      if (/radeon (rx|pro|vii)|instinct|\bmi\d{2,3}|navi (1|2|3|4)|firepro/i.test(text)) {
        return 'discrete';
      }
      return external || (!vramDynamic && (vram ?? 0) >= 4096) ? 'discrete' : 'integrated';
    case 'other':
      return 'software';
  }
}
