import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { UserError } from '../../errors';

/** Milliseconds that a library may take to be loaded. */
const patience = 120_000;

/**
 * Loads an addon in a process of its own and asks TensorFlow for its version, so that a library that
 * crashes or lacks something ends nothing but that process.
 * @throws UserError with what the library lacks here, or the signal that ended it
 */
export async function versionOfLoaded(addon: string, signal: AbortSignal): Promise<string> {
  const ask = 'process.stdout.write(String(require(process.argv[1]).TF_Version))';
  const loading = promisify(execFile)(process.execPath, ['-e', ask, addon], {
    signal,
    timeout: patience,
    killSignal: 'SIGKILL',
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '1' },
    windowsHide: true,
  });
  const { stdout } = await loading.catch((error: unknown) => {
    throw signal.aborted ? error : explainLoading(error as LoadFailure);
  });
  if (/^\d+\.\d+\./.test(stdout)) return stdout;
  throw new UserError(
    `What was built loads, but tells no version of TensorFlow. ${nothingInstalled}`,
    'Take another version of TensorFlow, or another engine.',
  );
}

/** How the process that loads a library failed. */
interface LoadFailure extends Error {
  readonly signal?: NodeJS.Signals | null;
  readonly killed?: boolean;
  readonly code?: number | string | null;
  readonly stderr?: string;
}

const nothingInstalled = 'Nothing was installed.';

/** Why a library did not load, with what to do about it. */
export function explainLoading({
  signal,
  killed,
  code,
  stderr = '',
  message,
}: LoadFailure): UserError {
  const says = /(?:^(?:Type)?Error|symbol lookup error): (.*)$/m.exec(stderr)?.[1];
  if (says === undefined) {
    const how = killed
      ? `gave no answer within ${patience / 1000} s`
      : `crashed when it was loaded (${signal ?? `exit code ${code ?? message}`})`;
    const last = stderr.trim().split('\n').at(-1) ?? '';
    return new UserError(
      `This TensorFlow ${how}${last === '' ? '' : `: ${last}`}. ${nothingInstalled}`,
      signal === 'SIGILL'
        ? 'It was built for a newer processor than this one: take another build of TensorFlow.'
        : 'Take another version of TensorFlow, or another engine.',
    );
  }
  const [reason, remedy] = lack(says);
  return new UserError(`This TensorFlow does not load: ${reason}. ${nothingInstalled}`, remedy);
}

/** What a loader's message means, and the remedy. */
function lack(says: string): readonly [reason: string, remedy: string] {
  const symbol = /version [`'"]((?:GLIBC|GLIBCXX|CXXABI)_[\d.]+)' not found/.exec(says)?.[1];
  if (symbol !== undefined) {
    return [
      `it needs ${symbol}, which is newer than this system`,
      'Take a wheel for an older system (manylinux with a smaller number), or update this one.',
    ];
  }
  const library = /(\S+): cannot open shared object file|Library not loaded: (\S+)/.exec(says);
  if (library) {
    const file = library[1] ?? library[2]!;
    const remedy = /^lib(cu|nv|nccl)/.test(file)
      ? 'Install CUDA and cuDNN for this TensorFlow and put their folders on LD_LIBRARY_PATH.'
      : 'Install the package of your system that has it, then try again.';
    return [`the library ${file} is missing`, remedy];
  }
  const missing = /undefined symbol: (\S+)/.exec(says)?.[1];
  if (missing !== undefined) {
    return [
      `it lacks ${missing}, which TensorFlow.js calls`,
      'Take another version of TensorFlow (2.21 is known to have all).',
    ];
  }
  if (
    /invalid ELF header|wrong ELF class|file too short|not a mach-o|not a valid Win32/i.test(says)
  ) {
    return [says, 'It is damaged or made for another machine: download it again on this one.'];
  }
  return [says, 'Take another version of TensorFlow, or another engine.'];
}
