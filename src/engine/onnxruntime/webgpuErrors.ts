import { DeviceError, UserError } from '../../errors';
import { saidBy } from './saidBy';
import { lower, resume, set } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

/** Why no device could be opened. */
export function explainStart(error: unknown): UserError {
  const said = saidBy(error);
  const cause = { cause: error };
  return /adapter/i.test(said)
    ? new UserError(
        `WebGPU found no graphics adapter: ${said}.`,
        process.platform === 'linux'
          ? advise`Install the Vulkan driver of your graphics card and the Vulkan loader (Debian: libvulkan1), or ${set('engine', 'cpu')}.`
          : advise`Update the driver of your graphics card, or ${set('engine', 'cpu')}.`,
        cause,
      )
    : new UserError(`WebGPU could not start: ${said}.`, advise`${set('engine', 'cpu')}.`, cause);
}

/** Why a program could not be made for the device. */
export function explainCompile(error: unknown): UserError {
  return new UserError(
    `WebGPU cannot run this program: ${saidBy(error)}.`,
    advise`${set('engine', 'cpu')}, and report this: every operator should have a kernel.`,
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
      advise`Its driver was reset, or another program took it down. ${resume()} to go on.`,
      cause,
    );
  }
  if (memory.test(said)) {
    return new DeviceError(
      'The graphics device is out of memory.',
      advise`${lower('batch', 'sequenceLength')}, close other programs that use the device, or ${set('engine', 'cpu')}.`,
      cause,
    );
  }
  return new DeviceError(
    `The graphics device refused a step: ${saidBy(error)}.`,
    advise`${resume('cpu')} to go on.`,
    cause,
  );
}
