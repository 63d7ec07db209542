/** What is known of a worker that ended without a last word. */
export interface Death {
  readonly cannotStart?: string;
  readonly code?: number | null;
  readonly signal?: NodeJS.Signals | null;
  /** The end of what it printed. */
  readonly log?: string;
}

/** Says why a worker died, as far as it can be told. */
export function explainDeath({ cannotStart, code, signal, log = '' }: Death): {
  message: string;
  remedy: string;
} {
  if (cannotStart !== undefined) {
    return {
      message: `The worker could not be started: ${cannotStart}.`,
      remedy: 'Check the setting ligo.nodePath.',
    };
  }
  if (/heap out of memory|bad_alloc|Cannot allocate memory|ENOMEM/.test(log)) {
    return {
      message: 'The worker ran out of memory.',
      remedy: 'Choose a smaller target, a smaller batch or shorter sequences, and resume.',
    };
  }
  if (signal === 'SIGKILL') {
    return {
      message: 'The worker was killed, as systems do when memory runs out.',
      remedy: 'Free memory or choose a smaller target, then start the run again.',
    };
  }
  if (
    /ERR_MODULE_NOT_FOUND|Cannot find module|ERR_DLOPEN_FAILED|cannot open shared object/.test(log)
  ) {
    return {
      message: 'The worker cannot load the engine that computes.',
      remedy:
        'Install the build of this extension for this platform, or set ligo.nodePath to a Node of the same platform.',
    };
  }
  const how = signal ? `was ended by ${signal}` : code ? `ended with code ${code}` : 'is gone';
  return {
    message: `The worker ${how} before the run was finished.`,
    remedy: 'The log may say more. Start the run again.',
  };
}
