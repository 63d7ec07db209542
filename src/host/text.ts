import * as vscode from 'vscode';
import { UserError } from '../errors';
import { methodTitle } from '../protocol/methodTitles';
import type { ComparisonMoment } from './comparisonRecord';
import type { Holder, Phase, PhaseDetails } from './runRecord';

/** 1,234,567 as 1.2 M. */
export function formatCount(count: number): string {
  for (const [unit, size] of [
    ['B', 1e9],
    ['M', 1e6],
    ['K', 1e3],
  ] as const) {
    if (count >= size) return `${trim(count / size)} ${unit}`;
  }
  return String(count);
}

/** A number of things, in the person's language; both forms have it as {0}. */
export const plural = (count: number, one: string, several: string): string =>
  vscode.l10n.t(count === 1 ? one : several, count.toLocaleString(vscode.env.language));

export { formatBytes } from '../format';

const trim = (value: number): string => value.toFixed(value < 10 ? 1 : 0).replace(/\.0$/, '');

/** Seconds as "45 s", "3 min", "2 h 5 min". */
export function formatSeconds(seconds: number): string {
  if (seconds < 90) return vscode.l10n.t('{0} s', Math.max(1, Math.round(seconds)));
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return vscode.l10n.t('{0} min', minutes);
  return vscode.l10n.t('{0} h {1} min', Math.floor(minutes / 60), minutes % 60);
}

/** Floating-point operations: 1.7e11 as 170 GFLOP. */
export function formatFlops(flops: number): string {
  const units = ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP', 'PFLOP', 'EFLOP'] as const;
  const power = Math.floor(Math.log10(Math.max(1, flops)) / 3);
  const unit = Math.min(power, units.length - 1);
  return `${trim(flops / 1000 ** unit)} ${units[unit]}`;
}

/** What a run is doing, in the person's language. */
export function describePhase(phase: Phase, { at, waitsFor }: PhaseDetails = {}): string {
  const words: Record<Phase, () => string> = {
    waiting: () => (waitsFor ? describeHolder(waitsFor) : vscode.l10n.t('waiting for its turn')),
    starting: () => vscode.l10n.t('starting'),
    measuring: () => vscode.l10n.t('measuring'),
    learning: () => vscode.l10n.t('learning operators'),
    comparing: () => (at ? describeMoment(at) : vscode.l10n.t('comparing')),
    reporting: () => vscode.l10n.t('writing the report'),
    paused: () => vscode.l10n.t('paused'),
    pausing: () => vscode.l10n.t('pausing'),
    writing: () => vscode.l10n.t('writing the checkpoint'),
    stopping: () => vscode.l10n.t('stopping'),
    done: () => vscode.l10n.t('done'),
    failed: () => vscode.l10n.t('failed'),
    cancelled: () => vscode.l10n.t('cancelled'),
  };
  return words[phase]();
}

/** Who has the device that a run waits for. */
function describeHolder({ title, window }: Holder): string {
  return window === undefined
    ? vscode.l10n.t('waiting for {0}', title)
    : vscode.l10n.t('waiting for {0} in another window ({1})', title, windowName(window));
}

/** What a window is called. */
export const windowName = (window: string): string => window || vscode.l10n.t('no folder open');

/** The run that a comparison is making, with its method, seed and step. */
function describeMoment(at: ComparisonMoment): string {
  const { run, runs, method, seed, phase, step, steps } = at;
  const title = methodTitle(method);
  const which = vscode.l10n.t('run {0} of {1}: {2}, seed {3}', run, runs, title, seed);
  if (steps === 0) return which;
  const far =
    phase === 'training'
      ? vscode.l10n.t('step {0} of {1}', step, steps)
      : vscode.l10n.t('learning operators, step {0} of {1}', step, steps);
  return `${which}, ${far}`;
}

/** An error as people read it: what is wrong and what to do. */
export function explain(error: unknown): { message: string; remedy: string } {
  if (error instanceof UserError) return { message: error.message, remedy: error.remedy };
  return {
    message: error instanceof Error ? error.message : String(error),
    remedy: vscode.l10n.t('Please report it.'),
  };
}
