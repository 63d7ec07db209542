import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { findProgram } from '../programs';
import type { GraphicsAdapter } from '../protocol/engines';

/** Milliseconds after which a driver that does not answer is given up. */
const patience = 5000;
const fields = ['name', 'driver_version', 'memory.total', 'memory.free', 'utilization.gpu'];
const mebibyte = 2 ** 20;

/** Runs a program and gives what it printed. */
export type Execute = (
  file: string,
  args: readonly string[],
  options: { readonly timeout: number; readonly windowsHide: boolean },
) => Promise<{ readonly stdout: string }>;

const execute: Execute = (name, args, options) => {
  const file = findProgram(name);
  return file === undefined
    ? Promise.reject(Object.assign(new Error(`there is no ${name}`), { code: 'ENOENT' }))
    : promisify(execFile)(file, args, options);
};

/** Whether there is an NVIDIA driver that could be asked; costs a look at three names. */
export const hasNvidiaDriver = (platform: NodeJS.Platform = process.platform): boolean =>
  platform === 'win32' ||
  (platform === 'linux' &&
    ['/proc/driver/nvidia', '/dev/nvidiactl', '/dev/dxg'].some(path => existsSync(path)));

/**
 * NVIDIA's GPUs as its own tool tells of them; none where the tool is missing. Throws when the driver
 * does not answer: asking it again would hang.
 */
export async function nvidiaAdapters(run: Execute = execute): Promise<GraphicsAdapter[]> {
  const args = [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'];
  try {
    const { stdout } = await run('nvidia-smi', args, { timeout: patience, windowsHide: true });
    return stdout
      .split('\n')
      .filter(line => line.trim() !== '')
      .map(parseAdapter);
  } catch (error) {
    const { code, killed } = error as { code?: unknown; killed?: boolean };
    if (code === 'ENOENT') return [];
    throw new Error(
      killed
        ? 'the NVIDIA driver does not answer (nvidia-smi hangs)'
        : `the NVIDIA driver does not work (nvidia-smi ends with ${String(code)})`,
      { cause: error },
    );
  }
}

function parseAdapter(line: string): GraphicsAdapter {
  const [name = '', driver = '', total, free, utilization] = line.split(',').map(s => s.trim());
  const number = (text: string | undefined, unit: number): number | undefined =>
    text === undefined || text === '' || Number.isNaN(Number(text))
      ? undefined
      : Number(text) * unit;
  const known = {
    memoryBytes: number(total, mebibyte),
    freeMemoryBytes: number(free, mebibyte),
    utilization: number(utilization, 0.01),
  };
  return {
    name: /^nvidia/i.test(name) ? name : `NVIDIA ${name}`,
    vendor: 'nvidia',
    kind: 'discrete',
    ...(driver !== '' && { driver }),
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
  };
}
