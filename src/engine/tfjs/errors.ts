import { DeviceError, UserError } from '../../errors';
import { firstLine } from '../firstLine';
import { packageNames, type NativeBackend, type TfjsPackage } from './packages';

export const notInstalled = (backend: NativeBackend): UserError =>
  new UserError(
    `${packageNames[backend]} is not installed.`,
    `Run \`ligo doctor --install tfjs-${backend}\`, or give --engine cpu.`,
  );

/** TensorFlow.js's own backends are for those who work on this software. */
export const noPortable = (name: string): UserError =>
  new UserError(
    `${name} is not installed.`,
    `Run npm install ${name} in the folder of LiGO Grow, or give --engine cpu.`,
  );

export const incomplete = ({ name, path, backend }: TfjsPackage, missing: string): UserError =>
  new UserError(
    `${name} is installed in ${path} without ${missing}: the download at its installation failed.`,
    `Run \`ligo doctor --install tfjs-${backend}\` where its downloads are allowed, or give --engine cpu.`,
  );

/** Why native code could not be loaded. */
export const unloadable = ({ name }: TfjsPackage, error: unknown): UserError =>
  new UserError(
    `${name} does not load in Node ${process.versions.node} (${process.platform} ${process.arch}): ${firstLine(error)}`,
    'It was made for another Node or system, or a library it needs is missing: install it again with the Node that runs LiGO Grow, or give --engine cpu.',
    { cause: error },
  );

export const noGpu = (tensorFlow: string): UserError =>
  new UserError(
    `TensorFlow ${tensorFlow} found no GPU that it can use.`,
    'TensorFlow 2.9 takes an NVIDIA GPU with the driver, CUDA 11.2 and cuDNN 8.1; nvidia-smi tells whether the driver answers. Or give --engine cpu.',
  );

/** Why a run failed: TensorFlow's own errors carry a status; anything else is a defect of ours. */
export function explainRun(error: unknown): unknown {
  const text = error instanceof Error ? error.message : String(error);
  const status = /Invalid TF_Status: (\d+)/.exec(text)?.[1];
  if (status === undefined) return error;
  const said = /Message: (.*)/.exec(text)?.[1] ?? firstLine(error);
  return status === resourceExhausted
    ? new DeviceError(
        `TensorFlow ran out of memory: ${said}`,
        'Lower --batch or --sequence-length, close other programs that use the device, or give --engine cpu.',
        { cause: error },
      )
    : new DeviceError(
        `TensorFlow refused a step: ${said}`,
        'Run the same command with --resume and --engine cpu to go on.',
        { cause: error },
      );
}

/** TF_RESOURCE_EXHAUSTED of TensorFlow's C API. */
const resourceExhausted = '8';
