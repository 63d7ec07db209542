import type { SingleBar } from 'cli-progress';
import { formatBytes } from './format';
import { printLine, type Host } from './host';
import type { OutputOptions } from './options';
import { barOn } from './progressBar';

/** Shows how many bytes of all were written. */
export interface ByteProgress {
  readonly update: (done: number, total: number) => void;
  close(): void;
}

/** Lines in a pipe, over a whole run. */
const progressLines = 4;

/** A bar on a terminal, a few lines in a pipe, nothing where JSON is asked for. */
export function openByteProgress(host: Host, { json }: OutputOptions): ByteProgress {
  if (json) return { update: () => undefined, close: () => undefined };
  return host.stdout.isTTY ? openBar(host) : openLines(host);
}

function openLines(host: Host): ByteProgress {
  let shown = 0;
  return {
    update(done, total) {
      const quarter = Math.floor((progressLines * done) / Math.max(1, total));
      if (quarter <= shown) return;
      shown = quarter;
      printLine(host, `  ${formatBytes(done)} of ${formatBytes(total)}`);
    },
    close: () => undefined,
  };
}

function openBar({ stdout }: Host): ByteProgress {
  let bar: SingleBar | undefined;
  return {
    update(done, total) {
      if (!bar) {
        bar = barOn(stdout, '  {bar} {done} of {all}');
        bar.start(total, 0, { done: formatBytes(0), all: formatBytes(total) });
      }
      bar.update(done, { done: formatBytes(done) });
    },
    close() {
      bar?.stop();
      bar = undefined;
    },
  };
}
