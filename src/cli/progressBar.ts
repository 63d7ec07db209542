import { SingleBar } from 'cli-progress';
import type { Output } from './host';

/** A bar that fills as steps are made. */
export interface ProgressBar {
  update(step: number, shown: { readonly loss: string; rate: string; left: string }): void;
  close(): void;
}

/** Draws a bar on a terminal until it is closed. */
export function openProgressBar(output: Output, steps: number): ProgressBar {
  const bar = new SingleBar({
    stream: output as NodeJS.WriteStream,
    format: '  {bar} {value}/{total}  loss {loss}  {rate}  {left} left',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    // Signals are handled in one place, which closes the bar.
    gracefulExit: false,
    fps: 10,
  });
  bar.start(steps, 0, { loss: '…', rate: '…', left: '…' });
  return {
    update: (step, shown) => bar.update(step, shown),
    close: () => bar.stop(),
  };
}
