import { SingleBar } from 'cli-progress';
import { formatBytes } from '../format';
import type { Output } from './host';

/** A bar that fills as steps are made. */
export interface ProgressBar {
  update(step: number, shown: { readonly loss: string; rate: string; left: string }): void;
  close(): void;
}

/** Bars of every kind look alike. */
export const barOn = (output: Output, format: string): SingleBar =>
  new SingleBar({
    stream: output as NodeJS.WriteStream,
    format,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    hideCursor: true,
    // Signals are handled in one place, which closes the bar.
    gracefulExit: false,
    fps: 10,
  });

/** A bar that fills as bytes arrive. */
export interface ByteBar {
  update(arrived: number, file: string): void;
  close(): void;
}

/** Draws a bar of bytes on a terminal until it is closed. */
export function openByteBar(output: Output, bytes: number): ByteBar {
  const bar = barOn(output, '  {bar} {arrived} of {bytes}  {eta_formatted} left  {file}');
  const shown = (arrived: number, file: string) => ({
    arrived: formatBytes(arrived),
    bytes: formatBytes(bytes),
    file,
  });
  bar.start(bytes, 0, shown(0, ''));
  return {
    update: (arrived, file) => bar.update(arrived, shown(arrived, file)),
    close: () => bar.stop(),
  };
}

/** Draws a bar on a terminal until it is closed. */
export function openProgressBar(output: Output, steps: number): ProgressBar {
  const bar = barOn(output, '  {bar} {value}/{total}  loss {loss}  {rate}  {left} left');
  bar.start(steps, 0, { loss: '…', rate: '…', left: '…' });
  return {
    update: (step, shown) => bar.update(step, shown),
    close: () => bar.stop(),
  };
}
