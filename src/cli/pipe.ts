import type { Writable } from 'node:stream';

/**
 * A reader that has seen enough (`| head`) is no failure: what is written after it left goes nowhere,
 * and a run stops as by Ctrl-C.
 */
export function endQuietlyWithTheReader(output: Writable, interruption: AbortController): void {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    interruption.abort();
  });
}
