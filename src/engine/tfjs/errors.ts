import { DeviceError, UserError } from '../../errors';
import { firstLine } from '../firstLine';
import { downloadedTensorFlow } from '../folder';
import { packageNames, type BuiltWith, type NativeBackend, type TfjsPackage } from './packages';
import { install, lower, resume, set } from '../../remedy/actions';
import { advise } from '../../remedy/remedy';

export const notInstalled = (backend: NativeBackend): UserError =>
  new UserError(
    `${packageNames[backend]} is not installed.`,
    advise`${install(`tfjs-${backend}`)}, or ${set('engine', 'cpu')}.`,
  );

/** TensorFlow.js's own backends are for those who work on this software. */
export const noPortable = (name: string): UserError =>
  new UserError(
    `${name} is not installed.`,
    advise`Run npm install ${name} in the folder of LiGO Grow, or ${set('engine', 'cpu')}.`,
  );

export const incomplete = ({ name, path, backend }: TfjsPackage, missing: string): UserError =>
  new UserError(
    `${name} is installed in ${path} without ${missing}: the download at its installation failed.`,
    advise`${install(`tfjs-${backend}`)} where its downloads are allowed, or ${set('engine', 'cpu')}.`,
  );

/** Why native code could not be loaded. */
export const unloadable = ({ name }: TfjsPackage, error: unknown): UserError =>
  new UserError(
    `${name} does not load in Node ${process.versions.node} (${process.platform} ${process.arch}): ${firstLine(error)}.`,
    advise`It was made for another Node or system, or a library it needs is missing: install it again with the Node that runs LiGO Grow, or ${set('engine', 'cpu')}.`,
    { cause: error },
  );

export const noGpu = (tensorFlow: string, built: BuiltWith | undefined): UserError => {
  const { cuda, cudnn } = built?.cuda ?? downloadedTensorFlow;
  const wants =
    built === undefined || built.cuda !== undefined
      ? `an NVIDIA GPU with the driver, CUDA ${cuda} and cuDNN ${cudnn}`
      : 'an NVIDIA GPU with the driver and the CUDA that it was built for';
  return new UserError(
    `TensorFlow ${tensorFlow} found no GPU that it can use.`,
    advise`It takes ${wants}; nvidia-smi tells whether the driver answers. Or ${set('engine', 'cpu')}.`,
  );
};

/** Why a run failed: TensorFlow's own errors carry a status; anything else is a defect of ours. */
export function explainRun(error: unknown): unknown {
  const text = error instanceof Error ? error.message : String(error);
  const status = /Invalid TF_Status: (\d+)/.exec(text)?.[1];
  if (status === undefined) return error;
  const said = firstLine(/Message: (.*)/.exec(text)?.[1] ?? error);
  return status === resourceExhausted
    ? new DeviceError(
        `TensorFlow ran out of memory: ${said}.`,
        advise`${lower('batch', 'sequenceLength')}, close other programs that use the device, or ${set('engine', 'cpu')}.`,
        { cause: error },
      )
    : new DeviceError(`TensorFlow refused a step: ${said}.`, advise`${resume('cpu')} to go on.`, {
        cause: error,
      });
}

/** TF_RESOURCE_EXHAUSTED of TensorFlow's C API. */
const resourceExhausted = '8';
