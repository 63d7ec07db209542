import { DeviceError, UserError } from '../../errors';
import { saidBy } from './saidBy';

/** Why no device could be opened. */
export function explainStart(error: unknown): UserError {
  const said = saidBy(error);
  const cause = { cause: error };
  return /adapter/i.test(said)
    ? new UserError(
        `WebGPU found no graphics adapter: ${said}.`,
        process.platform === 'linux'
          ? 'Install the Vulkan driver of your graphics card and the Vulkan loader (Debian: libvulkan1), or give --engine cpu.'
          : 'Update the driver of your graphics card, or give --engine cpu.',
        cause,
      )
    : new UserError(`WebGPU could not start: ${said}.`, 'Give --engine cpu.', cause);
}

/** Why a program could not be made for the device. */
export function explainCompile(error: unknown): UserError {
  return new UserError(
    `WebGPU cannot run this program: ${saidBy(error)}.`,
    'Give --engine cpu, and report this: every operator should have a kernel.',
    { cause: error },
  );
}

const memory = /out of memory|AllocateResource|invalid due to a previous error|allocat/i;
const lost = /device (is |was )?lost|lost device|DeviceLost/i;

/** Why a run on the device failed. */
export function explainRun(error: unknown): DeviceError {
  const said = error instanceof Error ? error.message : String(error);
  const cause = { cause: error };
  if (lost.test(said)) {
    return new DeviceError(
      `The graphics device was lost in the middle of the run: ${saidBy(error)}.`,
      'Its driver was reset, or another program took it down. Run the same command with --resume to go on.',
      cause,
    );
  }
  if (memory.test(said)) {
    return new DeviceError(
      'The graphics device is out of memory.',
      'Lower --batch or --sequence-length, close other programs that use the device, or give --engine cpu.',
      cause,
    );
  }
  return new DeviceError(
    `The graphics device refused a step: ${saidBy(error)}.`,
    'Run the same command with --resume and --engine cpu to go on.',
    cause,
  );
}
